import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemResolver } from "./resolve.ts";

/** Name → its addresses; a name without an entry does not exist, one with null gets no answer. */
const ZONE: Readonly<Record<string, readonly string[] | null>> = {
  "both.test": ["192.0.2.1", "192.0.2.2", "2001:db8:0:0:0:0:0:1"],
  "four.test": ["192.0.2.3"],
  "six.test": ["2001:db8:0:0:0:0:0:2"],
  "empty.test": [],
  "silent.test": null,
};

let server: Socket;
let resolver: SystemResolver;
beforeAll(async () => {
  server = createSocket("udp4", (query, from) => {
    const answer = answerTo(query);
    if (answer !== undefined) server.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  resolver = new SystemResolver({ timeoutMs: 100, servers: [`127.0.0.1:${server.address().port}`] });
});
afterAll(() => {
  resolver.close();
  server.close();
});

test("gives all addresses of both kinds, or those of the one kind that there is", async () => {
  expect((await resolver.resolve("both.test")).toSorted()).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
  expect(await resolver.resolve("four.test")).toEqual(["192.0.2.3"]);
  expect(await resolver.resolve("six.test")).toEqual(["2001:db8::2"]);
});

test("fails for names without addresses, and when nobody answers", async () => {
  await expect(resolver.resolve("missing.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(resolver.resolve("empty.test")).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolver.resolve("silent.test")).rejects.toMatchObject({ code: "ETIMEOUT" });
});

test("localhost is the loopback without a question", async () => {
  expect(await resolver.resolve("localhost")).toEqual(["127.0.0.1", "::1"]);
  expect(await resolver.resolve("a.localhost")).toEqual(["127.0.0.1", "::1"]);
});

/** A DNS response to a query of one question. */
function answerTo(query: Buffer): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const known = ZONE[labels.join(".").toLowerCase()];
  if (known === null) return undefined;
  const records = (known ?? []).filter((address) => (type === 28) === address.includes(":")).map((address) => record(type, address));
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(12, at + 5), ...records]);
}

function record(type: number, address: string): Buffer {
  const data =
    type === 28
      ? Buffer.from(
          address
            .split(":")
            .map((group) => group.padStart(4, "0"))
            .join(""),
          "hex",
        )
      : Buffer.from(address.split(".").map(Number));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(1, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

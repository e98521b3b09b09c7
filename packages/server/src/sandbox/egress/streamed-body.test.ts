import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PlinthError } from "@plinth/core/errors.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallBodies } from "../../engine/call-bodies.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import type { Egress } from "../egress.ts";
import { createEgress } from "./create-egress.ts";

const LONG = Buffer.alloc(3_000_000, "abcdefg");

let egress: Egress;
let url = "";
const received: { readonly path: string; readonly bytes: number }[] = [];

const server = createServer((request, response) => {
  void answer(request, response).catch(() => response.destroy());
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "";
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
  received.push({ path, bytes });
  switch (path) {
    case "/moved":
      response.writeHead(307, { location: "/taken" });
      response.end();
      return;
    case "/taken":
      response.end("taken");
      return;
    case "/packed":
      response.setHeader("content-encoding", "gzip");
      Readable.from([LONG]).pipe(createGzip()).pipe(response);
      return;
    case "/broken":
      response.setHeader("content-length", LONG.length);
      response.write(LONG.subarray(0, 1_000_000));
      setImmediate(() => response.destroy());
      return;
    default:
      response.end(LONG);
  }
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  url = `http://${host}`;
  egress = createEgress({
    runtime: createSystemRuntime(),
    policy: { allowedPrivate: [host], allowedPorts: [] },
    ownAddresses: () => [],
  });
});
afterAll(async () => {
  await egress.close();
  server.closeAllConnections();
  server.close();
});

interface Kept {
  readonly bodies: CallBodies;
  /** What was stored to its end. */
  readonly stored: Buffer[];
  opened: number;
}

function bodiesOf(sent: (() => Readable) | null): Kept {
  const kept: Kept = {
    stored: [],
    opened: 0,
    bodies: {
      sent:
        sent === null
          ? null
          : {
              ...{ digest: "d", bytes: LONG.length, contentType: "text/plain" },
              open: () => {
                kept.opened += 1;
                return Promise.resolve(sent());
              },
            },
      keptAboveBytes: 65_536,
      keep: async (source, contentType) => {
        const bytes = Buffer.concat(await Array.fromAsync(source));
        kept.stored.push(bytes);
        return { digest: "d", bytes: bytes.length, contentType };
      },
    },
  };
  return kept;
}

async function send(path: string, method: string, { bodies }: Kept) {
  const request: FetchRequest = { url: url + path, method, headers: [], bodyBase64: null, redirect: "follow" };
  return await egress.fetch(request, { tenant: "t", invocation: "i", signal: new AbortController().signal, bodies });
}

test("a long answer is stored, unpacked, and a short one is not", async () => {
  for (const path of ["/long", "/packed"]) {
    const kept = bodiesOf(null);
    expect(await send(path, "GET", kept)).toMatchObject({ status: 200, bodyBase64: "", stored: { bytes: LONG.length } });
    expect(kept.stored[0]?.equals(LONG)).toBe(true);
  }
  const kept = bodiesOf(null);
  expect(await send("/taken", "GET", kept)).toMatchObject({ bodyBase64: Buffer.from("taken").toString("base64") });
  expect(kept.stored).toEqual([]);
});

test("an answer that ends early is a failure, and nothing of it is stored", async () => {
  const kept = bodiesOf(null);
  await expect(send("/broken", "GET", kept)).rejects.toMatchObject({ code: "FetchFailed" });
  expect(kept.stored).toEqual([]);
});

test("a body is sent again where a redirect leads, and not with a method that has none", async () => {
  const kept = bodiesOf(() => Readable.from([LONG]));
  expect(await send("/moved", "POST", kept)).toMatchObject({ status: 200, redirected: true });
  expect(kept.opened).toBe(2);
  expect(received.slice(-2)).toEqual([
    { path: "/moved", bytes: LONG.length },
    { path: "/taken", bytes: LONG.length },
  ]);
  await expect(send("/taken", "GET", kept)).rejects.toMatchObject({ code: "InvalidArgument" });
});

test("a body that cannot be read to its end fails the request, which nobody takes for whole", async () => {
  const before = received.length;
  const broken = async function* () {
    yield LONG.subarray(0, 1_000_000);
    await Promise.resolve();
    throw new Error("its bytes were changed");
  };
  const kept = bodiesOf(() => Readable.from(broken(), { objectMode: false }));
  await expect(send("/taken", "POST", kept)).rejects.toBeInstanceOf(PlinthError);
  expect(received.length).toBe(before);
});

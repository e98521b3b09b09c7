/** Category N from inside a function: what `fetch` of an action may not reach. The guard itself is tested in network.test.ts. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AbuseHost } from "./abuse-host.ts";

let abuse: AbuseHost;
let inside: Server;
let insideUrl = "";
let reached = 0;

beforeAll(async () => {
  inside = createServer((_, response) => {
    reached += 1;
    response.end("inside");
  });
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  const address = inside.address();
  insideUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
  abuse = await AbuseHost.start();
});

afterAll(async () => {
  await abuse.stop();
  inside.close();
});

test("N03 loopback is refused in every form, the platform's own ports too (N10)", async () => {
  const port = new URL(insideUrl).port;
  const own = new URL(abuse.host.connection.url).port;
  for (const url of [
    insideUrl,
    `http://localhost:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://127.0.0.1:${own}/v1/keys`,
  ]) {
    const { value } = await abuse.attack("network:tryFetch", { url });
    expect(value, url).toMatchObject({ reached: false });
  }
  expect(reached).toBe(0);
});

test("N04 N03 metadata and private addresses are refused", async () => {
  for (const url of [
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://[fd00:ec2::254]/",
    "http://168.63.129.16/",
    "http://0.0.0.0/",
  ]) {
    expect((await abuse.attack("network:tryFetch", { url })).value, url).toMatchObject({ reached: false });
  }
});

test("N08 N02 other schemes and user info are refused", async () => {
  for (const url of ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "http://user:secret@example.com/"]) {
    const { value } = await abuse.attack("network:tryFetch", { url });
    expect(value, url).toMatchObject({ reached: false });
    expect(JSON.stringify(value)).not.toContain("secret@");
  }
});

test("N12 headers that would smuggle are refused", async () => {
  for (const headers of [{ host: "evil" }, { "transfer-encoding": "chunked" }, { "content-length": "1" }, { "x-a": "b\r\nx-c: d" }]) {
    expect((await abuse.attack("network:tryFetch", { url: "http://example.com/", init: { headers } })).value).toMatchObject({
      reached: false,
    });
  }
});

test("N14 a thousand fetches at once end in errors, not in sockets", async () => {
  const { value } = await abuse.attack("network:many", { url: insideUrl, count: 1000 });
  expect(value).toBe(1000);
});

/** Categories N and O of the abuse suite for operations: the same refusals whichever door asks, and nothing of the host in them. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";

let host: TestHost;
let inside: Server;
let insidePort: number;
const reached: string[] = [];

beforeAll(async () => {
  inside = createServer((request, response) => {
    reached.push(request.url ?? "");
    response.end("{}");
  });
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  const address = inside.address();
  insidePort = typeof address === "object" && address !== null ? address.port : 0;
  host = await startTestHost();
}, 60_000);
afterAll(async () => {
  inside.close();
  await host.remove();
});

/** One operation by every door that runs operations; the texts of their answers. */
async function everywhere(operation: string, input: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const accept = { accept: "application/json, text/event-stream" };
  const rpc = (id: number, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params });
  const client = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  const begun = await host.send("/mcp", { body: rpc(1, "initialize", client), headers: accept });
  const session = { ...accept, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  const answers = [
    await host.send(`/v1/operations/${operation}/execute`, { body: { input } }),
    await host.send("/plinth.v1.FunctionService/ExecuteOperation", { body: { operation, input } }),
    await host.send("/mcp", { body: rpc(2, "tools/call", { name: operation, arguments: input }), headers: session }),
  ];
  return answers.map(({ text }) => text);
}

/** Paths and stacks of the host, and what runs below it. */
const OF_THE_HOST = /packages\/(?:server|core)|node_modules|node:internal|\bat \S+ \(|\.ts:\d+|SQLITE|\/tmp\//;

describe("N02 to N10 the operation http reaches nothing inside, by any door", () => {
  const TARGETS = [
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://[::1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f.1:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://user:hunter2@127.0.0.1:PORT/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/",
  ];
  test.each(TARGETS)("%s", { timeout: 30_000 }, async (target) => {
    for (const text of await everywhere("http", { url: target.replace("PORT", String(insidePort)) })) {
      expect(text).toMatch(/FetchRefused|InvalidArgument|refus|not an address|http/i);
      expect(text).not.toContain('"status":200,"ok":true');
      expect(text).not.toMatch(OF_THE_HOST);
      expect(text).not.toContain("hunter2");
    }
    expect(reached).toEqual([]);
  });

  test("the host's own ports are nothing that it reaches either (N10)", { timeout: 30_000 }, async () => {
    for (const text of await everywhere("http", { url: `${host.url}/v1/tenants`, headers: { authorization: `Bearer ${host.adminKey}` } })) {
      expect(text).not.toContain('"tenants"');
      expect(text).not.toContain(host.adminKey);
    }
  });

  test("headers cannot frame another request (N12)", { timeout: 30_000 }, async () => {
    for (const headers of [{ "x-a": "1\r\nhost: evil" }, { "x-a\r\nb": "1" }, { "transfer-encoding": "chunked" }, { host: "evil.test" }])
      for (const text of await everywhere("http", { url: "http://example.invalid/", headers })) expect(text).not.toContain('"ok":true');
  });
});

describe("N19 endpoints of models are other systems like any", () => {
  test.each(["openai", "anthropic"])("%s at an address inside", { timeout: 30_000 }, async (provider) => {
    const input = { prompt: "x", provider, model: "m", base_url: `http://127.0.0.1:${insidePort}/v1` };
    // No agent has the second as a tool.
    const embedding = { text: "x", provider: "openai", model: "m", base_url: input.base_url };
    const answers = [...(await everywhere("ask_ai", input)), ...(await everywhere("embed_text", embedding)).slice(0, 2)];
    for (const text of answers) {
      expect(text).toMatch(/is not public|not allowed|FetchRefused|AiRefused/i);
      expect(text).not.toMatch(OF_THE_HOST);
    }
    expect(reached).toEqual([]);
  });
});

describe("O06 O07 what is wrong is told without the host", () => {
  test("unknown operations, odd inputs and values that are none", { timeout: 30_000 }, async () => {
    const odd: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ["nothing", {}],
      ["../../etc/passwd", {}],
      ["__proto__", {}],
      ["constructor", {}],
      ["http", { url: 7 }],
      ["http", { url: "http://x/", body: "a", body_base64: "b" }],
      ["http", JSON.parse('{"__proto__": {"url": "http://127.0.0.1/"}}') as Record<string, unknown>],
      ["execute_code", { language: "python", code: "import os" }],
    ];
    for (const [operation, input] of odd)
      for (const text of await everywhere(operation.replaceAll("/", "%2F"), input)) {
        expect(text, `${operation} ${JSON.stringify(input)}`).not.toMatch(OF_THE_HOST);
        expect(text).not.toContain("InternalError");
      }
    expect(reached).toEqual([]);
  });
});

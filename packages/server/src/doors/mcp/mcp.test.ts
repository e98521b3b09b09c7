/** The MCP door, called by the official client. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema, type CallToolResult, type Progress } from "@modelcontextprotocol/sdk/types.js";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, deployApp, startTestHost, textAt, type TestHost } from "../test/test-host.ts";

let host: TestHost;
let slow: Server;
let slowUrl: string;
/** Requests to the slow server that wait. */
let waiting = 0;
/** Answers the last of them. */
let release = (): void => undefined;
const clients: Client[] = [];

beforeAll(async () => {
  slow = createServer((request, response) => {
    waiting += 1;
    response.once("close", () => (waiting -= 1));
    if (request.url === "/now") response.end("ready");
    else release = () => void response.end("late");
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const { port } = slow.address() as AddressInfo;
  slowUrl = `http://127.0.0.1:${port}`;
  host = await startTestHost({ egressAllowPrivate: [`127.0.0.1:${port}`], egressAllowPorts: [String(port)] });
  await deployApp(host);
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await host?.remove();
  slow?.closeAllConnections();
  slow?.close();
});

async function connect(
  key: string | null,
  { path = "/mcp", headers = {} }: { readonly path?: string; readonly headers?: Record<string, string> } = {},
) {
  const transport = new StreamableHTTPClientTransport(new URL(host.url + path), {
    requestInit: { headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers } },
  });
  const client = new Client({ name: "test", version: "1" });
  clients.push(client);
  // The library's own types do not agree where optional properties are exact.
  await client.connect(transport as unknown as Parameters<Client["connect"]>[0]);
  return { client, transport };
}

function textOf(result: Awaited<ReturnType<Client["callTool"]>>): string {
  const [content] = (result as CallToolResult).content;
  return content?.type === "text" ? content.text : "";
}

describe("tools", () => {
  it("lists the skills with their schemas and annotations", async () => {
    const { client, transport } = await connect(host.adminKey);
    expect(transport.sessionId).toMatch(/^[0-9a-f]{32}$/);
    const { tools } = await client.listTools();
    const named = new Map(tools.map((tool) => [tool.name, tool]));
    expect(named.get("create_message")).toMatchObject({
      inputSchema: { type: "object", required: ["author", "text"] },
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    });
    expect(named.get("get_message")).toMatchObject({ annotations: { readOnlyHint: true } });
    expect(named.get("delete_message")).toMatchObject({ annotations: { readOnlyHint: false, destructiveHint: true } });
    expect(named.get("http")).toMatchObject({ outputSchema: { type: "object" }, annotations: { openWorldHint: true } });
    // Triggers are no tools.
    expect(named.has("message_created")).toBe(false);
  });

  it("calls one, and the client finds that the result fits the schema", async () => {
    const { client } = await connect(host.adminKey);
    await client.listTools();
    const made = await client.callTool({ name: "create_message", arguments: { author: "ada", text: "by an agent" } });
    expect(made.isError).toBeFalsy();
    expect(JSON.parse(textOf(made))).toEqual(made.structuredContent);
    const listed = await client.callTool({ name: "list_message", arguments: {} });
    expect(listed.isError).toBeFalsy();
    expect(textOf(listed)).toContain("by an agent");
    const fetched = await client.callTool({ name: "http", arguments: { url: `${slowUrl}/now` } });
    expect(fetched.structuredContent).toMatchObject({ status: 200, body: "ready" });
  });

  it("runs as an agent skill, in the trace of its caller", async () => {
    const { client } = await connect(host.adminKey);
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const { _meta: meta } = await client.callTool({
      name: "create_message",
      arguments: { author: "ada", text: "traced" },
      _meta: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    const id = String(meta?.["plinth/invocation"]);
    await expect.poll(async () => (await host.send(`/v1/invocations/${id}`)).json).toMatchObject({ source: "agentSkill", traceId });
  });

  it("tells the model what is wrong with its arguments, and the client what is no tool", async () => {
    const { client } = await connect(host.adminKey);
    const wrong = await client.callTool({ name: "create_message", arguments: { author: "ada" } });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toContain("text");
    const refused = await client.callTool({ name: "http", arguments: { url: "http://127.0.0.1:1/" } });
    expect(refused.isError).toBe(true);
    await expect(client.callTool({ name: "no_such_tool", arguments: {} })).rejects.toMatchObject({ code: -32_602 });
    await expect(client.callTool({ name: "message_created", arguments: {} })).rejects.toMatchObject({ code: -32_602 });
  });

  it("notes progress while a call runs", async () => {
    const { client } = await connect(host.adminKey);
    const notes: Progress[] = [];
    const ran = await client.callTool(
      { name: "execute_code", arguments: { language: "python", code: "print('working')\nresult = 6 * 7" } },
      undefined,
      { onprogress: (progress) => notes.push(progress) },
    );
    expect(ran.isError, textOf(ran)).toBeFalsy();
    expect(textOf(ran)).toContain("42");
    expect(notes.map(({ message }) => message)).toContain("running");
    expect(notes.map(({ progress }) => progress)).toEqual(notes.map(({ progress }) => progress).toSorted((a, b) => a - b));
  }, 30_000);

  it("N3 tells clients that the tools may be others", async () => {
    await host.send("/v1/tenants", { body: { name: "growing" } });
    const { key } = await host.key(["admin"], { tenant: "growing" });
    const { client } = await connect(key);
    const told = Promise.withResolvers<void>();
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => told.resolve());
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("create_message");
    await deployApp(host, "growing");
    await told.promise;
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("create_message");
  }, 30_000);

  it("refuses an id that is in use, and answers the request that has it", async () => {
    const { transport } = await connect(host.adminKey);
    const headers = { authorization: `Bearer ${host.adminKey}`, "mcp-session-id": transport.sessionId ?? "" };
    const post = async (id: number, url: string, accept = "application/json, text/event-stream") => {
      const body = { jsonrpc: "2.0", id, method: "tools/call", params: { name: "http", arguments: { url } } };
      return await fetch(`${host.url}/mcp`, {
        method: "POST",
        headers: { ...headers, accept, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    };
    const first = post(7, `${slowUrl}/never`);
    await expect.poll(() => waiting, { timeout: 10_000 }).toBe(1);
    const second = await post(7, `${slowUrl}/now`);
    expect(second.status).toBe(400);
    expect(await second.text()).toContain("has an id of its own");
    release();
    expect(await (await first).text()).toContain("late");
    // What is refused as a whole takes no id.
    expect((await post(8, `${slowUrl}/now`, "text/html")).status).toBe(406);
    for (const id of [7, 8]) expect(await (await post(id, `${slowUrl}/now`)).text()).toContain("ready");
  }, 30_000);

  it("ends a call that its client cancels", async () => {
    const { client } = await connect(host.adminKey);
    const stop = new AbortController();
    const call = client.callTool({ name: "http", arguments: { url: `${slowUrl}/never` } }, undefined, { signal: stop.signal });
    const ended = expect(call).rejects.toThrow();
    await expect.poll(() => waiting, { timeout: 10_000 }).toBe(1);
    stop.abort();
    await ended;
    await expect.poll(() => waiting, { timeout: 10_000 }).toBe(0);
  }, 30_000);
});

describe("who may", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
  };
  const accept = "application/json, text/event-stream";

  it("asks for a key, and says where to read how", async () => {
    const none = await host.send("/mcp", { body: initialize, key: null, headers: { accept } });
    expect(none.status).toBe(401);
    const challenge = none.headers.get("www-authenticate") ?? "";
    const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
    expect(url).toBe(`${host.url}/.well-known/oauth-protected-resource/mcp`);
    expect(await (await fetch(url)).json()).toMatchObject({ resource: `${host.url}/mcp`, bearer_methods_supported: ["header"] });
    const wrong = await host.send("/mcp", { body: initialize, key: "plk_wrong", headers: { accept } });
    expect(wrong.headers.get("www-authenticate")).toContain('error="invalid_token"');
    const { key } = await host.key(["read"]);
    expect((await host.send("/mcp", { body: initialize, key, headers: { accept } })).status).toBe(403);
    expect((await host.send("/.well-known/oauth-protected-resource/etc/passwd")).status).toBe(404);
  });

  it("S1 shows keys what they may call and nothing else", async () => {
    const { key } = await host.key(["invoke"]);
    const { client } = await connect(key);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).not.toContain("http");
    await expect(client.callTool({ name: "http", arguments: { url: slowUrl } })).rejects.toMatchObject({ code: -32_602 });
  });

  it("S2 lets only admin keys name the user", async () => {
    const { key } = await host.key(["deploy"]);
    const { client } = await connect(key, { headers: { "x-plinth-user": "user:7" } });
    const refused = await client.callTool({ name: "http", arguments: { url: `${slowUrl}/now` } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain("admin");
    const admin = await connect(host.adminKey, { headers: { "x-plinth-user": "user:7" } });
    expect((await admin.client.callTool({ name: "http", arguments: { url: `${slowUrl}/now` } })).isError).toBeFalsy();
  });

  it("N1 keeps sessions for those who began them", async () => {
    const { transport } = await connect(host.adminKey);
    const { key } = await host.key(["admin"]);
    const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
    const headers = { accept, "mcp-session-id": transport.sessionId ?? "" };
    expect((await host.send("/mcp", { body: list, headers })).status).toBe(200);
    expect((await host.send("/mcp", { body: list, headers, key })).status).toBe(404);
    expect((await host.send("/mcp", { body: list, headers: { accept } })).status).toBe(400);
    expect((await host.send("/mcp", { method: "DELETE", headers })).status).toBe(200);
    expect((await host.send("/mcp", { body: list, headers })).status).toBe(404);
  });

  it("is another tenant's at another path", async () => {
    await host.send("/v1/tenants", { body: { name: "acme" } });
    const { key } = await host.key(["admin"], { tenant: "acme" });
    const { client } = await connect(key, { path: "/t/acme/mcp" });
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("create_message");
    const answer = await host.send("/t/acme/mcp", { body: initialize, key: null, headers: { accept } });
    expect(answer.headers.get("www-authenticate")).toContain("/.well-known/oauth-protected-resource/t/acme/mcp");
  });

  it("W1 answers pages of known origins only", async () => {
    const from = async (origin: string) => (await host.send("/mcp", { body: initialize, headers: { accept, origin } })).status;
    expect(await from("http://evil.example")).toBe(403);
    expect(await from("null")).toBe(403);
    expect(await from("http://localhost:6274")).toBe(200);
  });

  it("refuses what is no request of the protocol", async () => {
    const broken = await host.send("/mcp", { body: "{", headers: { accept } });
    expect([broken.status, textAt(broken, "code")]).toEqual([400, "MalformedJson"]);
    const { transport } = await connect(host.adminKey);
    const headers = { accept, "mcp-session-id": transport.sessionId ?? "" };
    const odd = await host.send("/mcp", { body: { hello: 1 }, headers });
    expect([odd.status, at(odd, "error", "code")]).toEqual([400, -32_700]);
    expect((await host.send("/mcp", { method: "PUT", headers, body: {} })).status).toBe(404);
  });

  it("W2 ends streams that wait when their key is revoked", async () => {
    const { key, id } = await host.key(["invoke"]);
    const begun = await host.send("/mcp", { body: initialize, key, headers: { accept } });
    const headers = { accept, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
    const stream = await fetch(`${host.url}/mcp`, { headers: { ...headers, authorization: `Bearer ${key}` } });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    expect((await host.send(`/v1/keys/${id}`, { method: "DELETE" })).status).toBeLessThan(300);
    await ended;
    expect((await host.send("/mcp", { body: {}, key, headers })).status).toBe(401);
  });
});

/**
 * Categories N, O and Z of the abuse suite: a tenant that floods the doors of operations, with output, requests and connections that
 * it holds. Beside each flood another tenant calls, and must be answered.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { limit } from "@plinth/core/limits.ts";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GrpcClient } from "../../packages/server/src/doors/test/grpc-client.ts";
import { at, deployApp, startTestHost, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";
import { FunctionService } from "../../packages/server/src/protobuf/_generated/plinth/v1/functions_pb.js";

/** What the other tenant may wait for an answer on a machine that runs other tests beside. */
const OTHER_WAIT_MS_MAX = 15_000;
/** The clients are in the same process. */
const GROWTH_MIB_MAX = 400;

let host: TestHost;
let outside: Server;
let outsideUrl: string;
const held: ServerResponse[] = [];
let mostHeld = 0;

beforeAll(async () => {
  outside = createServer((request, response) => {
    if (request.url === "/quick") {
      response.end("quick");
      return;
    }
    if (request.url?.startsWith("/away") === true) {
      response.writeHead(307, { location: `${host.url}/v1/tenants` }).end();
      return;
    }
    held.push(response);
    mostHeld = Math.max(mostHeld, held.length);
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const address = outside.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  outsideUrl = `http://127.0.0.1:${port}`;
  host = await startTestHost({ grpcPort: 0, smtpPort: 0, userCpuMs: 30_000, egressAllowPrivate: [`127.0.0.1:${port}`] });
  for (const name of ["noisy", "other"]) {
    await host.send("/v1/tenants", { body: { name } });
    await deployApp(host, name);
  }
}, 60_000);
afterAll(async () => {
  outside.closeAllConnections();
  outside.close();
  await host.remove();
});

/** Runs `work` while the other tenant calls a function and an operation, without an error and without a long wait. */
async function besideOther<T>(work: () => Promise<T>): Promise<T> {
  const state = { isOver: false, slowestMs: 0, calls: 0 };
  const residentBefore = process.memoryUsage().rss;
  const calling = (async () => {
    while (!state.isOver) {
      const fromMs = performance.now();
      const query = await host.send("/t/other/api/query", { body: { path: "messages:count", args: {}, format: "json" } });
      expect(at(query, "status"), query.text).toBe("success");
      const operation = await host.send("/t/other/v1/operations/http/execute", { body: { input: { url: `${outsideUrl}/quick` } } });
      expect(at(operation, "status"), operation.text).toBe("succeeded");
      state.slowestMs = Math.max(state.slowestMs, performance.now() - fromMs);
      state.calls++;
      await pause(20);
    }
  })();
  // It is asked for below, when the work is over.
  calling.catch(() => undefined);
  try {
    const result = await work();
    state.isOver = true;
    await calling;
    expect(state.calls).toBeGreaterThan(0);
    expect(state.slowestMs, "slowest calls of the other tenant").toBeLessThan(OTHER_WAIT_MS_MAX);
    expect((process.memoryUsage().rss - residentBefore) / 1024 / 1024, "growth, MiB").toBeLessThan(GROWTH_MIB_MAX);
    return result;
  } finally {
    state.isOver = true;
    await calling.catch(() => undefined);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("O01 O02 O03 floods of streamed output", () => {
  const FLOODS = [
    ["python", "a gigabyte", 'line = "x" * 65536\nfor i in range(16384): print(line)\nresult = 1'],
    ["python", "a million lines", "for i in range(1000000): print(i)\nresult = 1"],
    ["python", "one long line", 'print("x" * 100000000)\nresult = 1'],
    ["javascript", "a gigabyte", 'const line = "x".repeat(65536); for (let i = 0; i < 16384; i++) console.log(line); return 1;'],
    ["javascript", "a million lines", "for (let i = 0; i < 1e6; i++) console.log(i); return 1;"],
    ["javascript", "one long line", 'console.log("x".repeat(1e8)); return 1;'],
  ] as const;
  /** Lines as log events and, where the runner keeps it, once more as the output of the result. */
  const BYTES_MAX = 4 * limit("inlineOutputBytesMax") + 2 * limit("logLinesMax") * limit("logLineBytesMax");

  test.each(FLOODS)("%s: %s, as events of the native door", { timeout: 60_000 }, async (language, _, code) => {
    const { text } = await besideOther(() =>
      host.send("/t/noisy/v1/operations/execute_code/execute", {
        body: { input: { language, code } },
        headers: { accept: "text/event-stream" },
      }),
    );
    const lines = text.match(/^event: log$/gm)?.length ?? 0;
    expect(lines).toBeGreaterThan(0);
    expect(lines).toBeLessThanOrEqual(limit("logLinesMax"));
    expect(text.length).toBeLessThan(BYTES_MAX);
    // It ends, with a result or with the limit that it met.
    expect(text).toMatch(/^event: done$/m);
  });

  test.each(FLOODS)("%s: %s, as events of gRPC", { timeout: 60_000 }, async (language, _, code) => {
    const client = new GrpcClient(host.grpcAddress ?? "", host.adminKey);
    try {
      const events = await besideOther(() =>
        client.call(FunctionService.method.execute, [{ function: `$inline/${language}`, args: { code, streams: true } }], {
          metadata: { "x-plinth-tenant": "noisy" },
        }),
      );
      const lines = events.flatMap(({ event }) => (event.case === "log" ? [event.value] : []));
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThanOrEqual(limit("logLinesMax"));
      expect(events.at(-1)?.event.case).toBe("result");
      expect(JSON.stringify(events, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)).length).toBeLessThan(
        BYTES_MAX,
      );
    } finally {
      client.close();
    }
  });
});

describe("N08 N19 an allowed system that sends on to one inside", () => {
  const ENDPOINT = { provider: "openai", model: "m" };
  test.each(["http", "ask_ai", "embed_text"])("is not followed there by %s", { timeout: 60_000 }, async (operation) => {
    const away = `${outsideUrl}/away`;
    const input = {
      http: { url: away, headers: { authorization: `Bearer ${host.adminKey}` } },
      ask_ai: { prompt: "x", ...ENDPOINT, base_url: away },
      embed_text: { text: "x", ...ENDPOINT, base_url: away },
    }[operation];
    const { text } = await host.send(`/v1/operations/${operation}/execute`, { body: { input } });
    expect(text).toMatch(/FetchRefused|AiRefused|AiFailed|AiUnavailable|not public|redirect/);
    expect(text).not.toContain('"tenants"');
    expect(text).not.toContain(host.adminKey);
  });
});

describe("N14 a thousand requests by the operation http", () => {
  test("have the places of their tenant and no more, and all are answered", { timeout: 60_000 }, async () => {
    const crowd = Array.from({ length: 1000 }, () =>
      host.send("/t/noisy/v1/operations/http/execute", { body: { input: { url: `${outsideUrl}/slow` } } }),
    );
    await besideOther(async () => {
      for (let last = -1; last !== held.length || last < 1; await pause(300)) last = held.length;
    });
    const draining = setInterval(() => held.splice(0).forEach((response) => response.end("slow")), 5);
    const answers = await Promise.all(crowd);
    clearInterval(draining);
    expect(mostHeld).toBeLessThanOrEqual(limit("fetchesPerTenantMax"));
    const counted = Object.groupBy(answers, (answer) =>
      at(answer, "status") === "succeeded" ? "success" : `${answer.status} ${answer.text}`,
    );
    expect(Object.keys(counted)).toEqual(["success"]);
  });
});

describe("Z05 clients that hold what they opened", () => {
  test("connections to the SMTP port: of one address a few, and places come back", { timeout: 60_000 }, async () => {
    const max = limit("smtpConnectionsPerAddressMax");
    const greeting = async (localAddress: string, opened: Socket[]): Promise<string> => {
      const socket = connect({ host: "127.0.0.1", port: host.smtpPort ?? 0, localAddress });
      opened.push(socket);
      return await new Promise((resolve) => {
        socket.once("data", (chunk: Buffer) => resolve(chunk.toString().slice(0, 3)));
        socket.once("error", () => resolve("none"));
        socket.once("close", () => resolve("none"));
      });
    };
    for (let round = 0; round < 2; round++) {
      const opened: Socket[] = [];
      const greetings = await Promise.all(Array.from({ length: max + 20 }, () => greeting("127.0.0.1", opened)));
      expect(greetings.filter((text) => text === "220").length, `round ${round}`).toBe(max);
      expect(new Set(greetings)).toEqual(new Set(["220", "421"]));
      expect(await greeting("127.0.0.2", opened)).toBe("220");
      for (const socket of opened) socket.destroy();
      await pause(300);
    }
  });

  test("sessions and streams of agents: a thousand of one tenant", { timeout: 120_000 }, async () => {
    const accept = { accept: "application/json, text/event-stream" };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const body = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    const begin = async (tenant: string): Promise<string> => {
      const begun = await host.send(`/t/${tenant}/mcp`, { body, headers: accept });
      expect(begun.status, begun.text).toBe(200);
      return begun.headers.get("mcp-session-id") ?? "";
    };
    const abort = new AbortController();
    /** An answer that nobody refers to is closed by `fetch`. */
    const open: Response[] = [];
    const listen = async (tenant: string, session: string): Promise<number> => {
      const headers = { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream", "mcp-session-id": session };
      const answer = await fetch(`${host.url}/t/${tenant}/mcp`, { headers, signal: abort.signal });
      open.push(answer);
      return answer.status;
    };
    const use = async (tenant: string, session: string): Promise<number> => {
      const headers = { ...accept, "mcp-session-id": session };
      return (await host.send(`/t/${tenant}/mcp`, { body: { jsonrpc: "2.0", id: 2, method: "ping" }, headers })).status;
    };
    try {
      const calm = await begin("other");
      const sessions: string[] = [];
      await besideOther(async () => {
        for (let n = 0; n < limit("mcpSessionsPerTenantMax") + 10; n++) {
          const session = await begin("noisy");
          sessions.push(session);
          expect(await listen("noisy", session), `stream ${n}`).toBe(200);
        }
      });
      expect(await use("noisy", sessions[0] ?? "")).toBe(404);
      expect(await use("noisy", sessions.at(-1) ?? "")).toBe(200);
      // All streams of a tenant share their places.
      const headers = { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream" };
      const logs = await fetch(`${host.url}/t/noisy/v1/logs`, { headers, signal: AbortSignal.timeout(10_000) });
      expect([logs.status, ((await logs.json()) as { readonly code: string }).code]).toEqual([429, "TooManyConcurrentRequests"]);
      expect(await use("other", calm)).toBe(200);
      expect(await listen("other", calm)).toBe(200);
    } finally {
      abort.abort();
    }
  });

  test("calls of gRPC by the thousand: the rest is refused, and all end with their connections", { timeout: 120_000 }, async () => {
    const { execute } = FunctionService.method;
    const message = toBinary(execute.input, create(execute.input, { function: "messages:pause", args: { ms: 60_000 } }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const frame = Buffer.concat([head, message]);
    const sessions: ClientHttp2Session[] = [];
    const statuses: string[] = [];
    const connections = Math.ceil(
      (limit("queueEntriesPerTenantMax") + limit("actionsPerTenantMax") + 300) / limit("grpcStreamsPerConnectionMax"),
    );
    try {
      await besideOther(async () => {
        for (let n = 0; n < connections; n++) {
          const session = connectHttp2(`http://${host.grpcAddress ?? ""}`);
          session.on("error", () => undefined);
          sessions.push(session);
          await new Promise((resolve) => session.once("remoteSettings", resolve));
          for (let call = 0; call < limit("grpcStreamsPerConnectionMax"); call++) {
            const stream = session.request({
              ":method": "POST",
              ":path": `/${execute.parent.typeName}/${execute.name}`,
              "content-type": "application/grpc+proto",
              te: "trailers",
              authorization: `Bearer ${host.adminKey}`,
              "x-plinth-tenant": "noisy",
            });
            const note = (headers: NodeJS.Dict<string | string[] | number>) => {
              if (headers["grpc-status"] !== undefined) statuses.push(String(headers["grpc-status"]));
            };
            stream.on("response", note).on("trailers", note);
            stream.on("error", () => undefined);
            stream.resume();
            stream.end(frame);
          }
        }
        for (let last = -1; last !== statuses.length || last < 1; await pause(500)) last = statuses.length;
      });
      // RESOURCE_EXHAUSTED or UNAVAILABLE: what may be tried again.
      expect(statuses.length).toBeGreaterThanOrEqual(200);
      expect(new Set(statuses).isSubsetOf(new Set(["8", "14"])), [...new Set(statuses)].join()).toBe(true);
    } finally {
      for (const session of sessions) session.destroy();
    }
    await expect.poll(async () => (await host.send("/metrics")).text, { timeout: 20_000 }).toMatch(/^plinth_running_actions 0$/m);
  });
});

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, field, type Json } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { rounded, type Bench } from "./bench.ts";
import type { FloodCounts, FloodDoor } from "./flood-load.ts";
import { deploy, forTenant, runBenchFunction, startBenchHost } from "./host.ts";
import { push, quantiles } from "./packages.ts";

const IDLE_MS = 8000;
const DOOR_MS = 4000;
const ALL_MS = 10_000;
const CLIENTS = 16;
const AUTOMATION_MS_MAX = 10_000;
/** Between two calls of the calm tenant. */
const PAUSE_MS = 15;
/** What the operator allows the flooding tenant in the last phase. */
const LIMITS = { rate: { perSecond: 50, burst: 50 }, concurrency: 4 };

const KINDS = ["query", "mutation", "automation"] as const;
type Kind = (typeof KINDS)[number];
type Times = Readonly<Record<Kind, number[]>>;

/**
 * A tenant that floods every door, one after the other and then all at once, without limits and with them, while another tenant asks
 * queries, changes a document and has an automation that listens to it. The flood comes from a process of its own with the lowest
 * priority, so that what it takes is what the host takes for it.
 */
export const flood: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), "plinth-flood-"));
  const listener = await listen();
  const smtpPort = await freePort();
  const host = await startBenchHost([
    ...["--egress-allow-private", `127.0.0.1:${listener.port}`, "--grpc-port", "0"],
    ...["--smtp-port", `${smtpPort}`, "--smtp-domain", "mail.test"],
  ]);
  try {
    const [calm, flooding] = [await tenant(host.connection, "calm"), await tenant(host.connection, "flood")];
    await install(calm, { folder: "listener", port: listener.port });
    const calmId = await insert(calm);
    const doors = await doorsOf({ grpc: host.process.ready.grpcAddress ?? "", smtp: `127.0.0.1:${smtpPort}` }, flooding);
    const beside = async (work: () => Promise<FloodCounts>) => {
      const state = { isOver: false };
      const times: Times = { query: [], mutation: [], automation: [] };
      const asking = ask(calm, { id: calmId, times, listener, state });
      const counts = await work().finally(() => (state.isOver = true));
      await asking;
      return { times, counts };
    };
    const flooded = (each: readonly FloodDoor[], durationMs: number) => beside(() => runFlood(folder, { doors: each, durationMs }));

    // The host compiles what is called often, and each door is loaded when it is first asked.
    await flooded(doors, 3000);
    await beside(() => sleep(2000).then(() => ({})));
    const idle = await beside(() => sleep(IDLE_MS).then(() => ({})));
    const details: Record<string, number | string> = { ...shown("idle", idle.times) };
    for (const door of doors) {
      const { times, counts } = await flooded([door], DOOR_MS);
      Object.assign(details, shown(door.name, times), { [`${door.name}: answers`]: answers(counts) });
      await sleep(1000);
    }
    const all = await flooded(doors, ALL_MS);
    Object.assign(details, shown("all doors", all.times), { "all doors: answers": answers(all.counts) });
    await sleep(3000);
    await call(flooding, "/v1/limits", { method: "PUT", body: LIMITS });
    const limited = await flooded(doors, ALL_MS);
    Object.assign(details, shown("all doors, limited", limited.times), { "all doors, limited: answers": answers(limited.counts) });
    const [quiet, loud] = [quantiles(idle.times.query), quantiles(all.times.query)];
    return {
      name: "flood",
      unit: "ms",
      p50: rounded(loud.p50),
      p99: rounded(loud.p99),
      raw: { what: "query of the calm tenant without a flood", p50: rounded(quiet.p50), value: rounded(quiet.p99) },
      ratio: rounded(quiet.p99 / loud.p99),
      details,
    };
  } finally {
    await host.stop();
    listener.close();
    rmSync(folder, { recursive: true });
  }
};

async function tenant(connection: Connection, name: string): Promise<Connection> {
  await call(connection, "/v1/tenants", { body: { name } });
  const own = forTenant(connection, name);
  await deploy(own);
  return own;
}

async function install(
  connection: Connection,
  options: { readonly folder: "listener" | "flooded"; readonly port: number },
): Promise<string> {
  const { folder, port } = options;
  await push(connection, { folder, name: folder, change: (_, text) => text.replace("PORT", `${port}`) });
  const id = field(await call(connection, "/v1/snap-ins", { body: { package: folder } }), "id") ?? "";
  const active = await call(connection, `/v1/snap-ins/${id}/activate`, { body: {} });
  if (field(active, "state") !== "active") throw new Error(JSON.stringify(active));
  return id;
}

async function insert(connection: Connection): Promise<string> {
  const id = await runBenchFunction(connection, "things:insert", { text: "x".repeat(200) });
  if (typeof id !== "string") throw new Error("no id");
  return id;
}

async function doorsOf(ports: { readonly grpc: string; readonly smtp: string }, connection: Connection): Promise<readonly FloodDoor[]> {
  const { url, key = "" } = connection;
  const snapIn = await install(connection, { folder: "flooded", port: 0 });
  const id = await insert(connection);
  const sources = sourcesOf(await call(connection, `/v1/snap-ins/${snapIn}`));
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const http = (name: string, path: string, body: Json, more = {}): FloodDoor => ({
    name,
    kind: "http",
    url: path.startsWith("http") ? path : url + path,
    headers: { ...headers, ...more },
    body: JSON.stringify(body),
    clients: CLIENTS,
  });
  const operation = { input: { _id: id } };
  const mcp = await mcpSession(url, headers);
  // Ids are used once in a session.
  const tool = { jsonrpc: "2.0", id: "NUMBER", method: "tools/call", params: { name: "get_thing", arguments: { _id: id } } };
  return [
    http("convex query", "/api/query", { path: "things:get", args: { id }, format: "json" }),
    http("convex mutation", "/api/mutation", { path: "things:insert", args: { text: "x" }, format: "json" }),
    http("native execute", "/v1/functions/things%3Aget/execute", { args: { id } }),
    http("native async", "/v1/functions/things%3Ainsert/execute", { args: { text: "x" }, mode: "async" }),
    http("operation", "/v1/operations/objects%2Fget_thing/execute", operation),
    http("large bodies", "/v1/functions/things%3Aget/execute", { args: { id, rest: "x".repeat(4_000_000) } }),
    http("event", "/v1/events", { snapIn, source: "own", type: "go" }),
    http("webhook", sources.get("hook")?.triggerUrl ?? "", { some: "thing" }),
    http("command", "/v1/commands/flood/go", { object: "don:core:plinth:devo/default:issue/1", user: "u" }),
    http("mcp", "/mcp", tool, mcp),
    {
      name: "grpc",
      kind: "grpc",
      url: ports.grpc,
      headers: { ...headers, "x-plinth-tenant": "flood" },
      body: JSON.stringify({ operation: "objects/get_thing", ...operation }),
      clients: CLIENTS,
    },
    { name: "smtp", kind: "smtp", url: ports.smtp, headers: {}, body: sources.get("inbox")?.emailAddress ?? "", clients: CLIENTS },
  ];
}

interface Source {
  readonly name: string;
  readonly triggerUrl: string | null;
  readonly emailAddress?: string | null;
}

function sourcesOf(snapIn: Json): ReadonlyMap<string, Source> {
  const { eventSources } = snapIn as unknown as { readonly eventSources: readonly Source[] };
  return new Map(eventSources.map((source) => [source.name, source]));
}

/** Headers of a session. */
async function mcpSession(url: string, headers: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const accept = "application/json, text/event-stream";
  const client = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "flood", version: "1" } };
  const begun = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { ...headers, accept },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: client }),
  });
  await begun.text();
  return { accept, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
}

interface Listener {
  readonly port: number;
  /** Resolves when the automation of a change has started, with the change's rank. */
  started(rank: number): Promise<void>;
  close(): void;
}

async function listen(): Promise<Listener> {
  const waiting = new Map<number, () => void>();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { rank } = JSON.parse(body) as { readonly rank: number };
      waiting.get(rank)?.();
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    started: (rank) => new Promise((resolve) => waiting.set(rank, resolve)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

let rank = 0;

/** One call after the other, with pauses, until it is over. */
async function ask(
  connection: Connection,
  options: { readonly id: string; readonly times: Times; readonly listener: Listener; readonly state: { readonly isOver: boolean } },
): Promise<void> {
  const { id, times, listener, state } = options;
  const timed = async (kind: Kind, work: () => Promise<unknown>): Promise<void> => {
    const fromMs = performance.now();
    await work();
    times[kind].push(performance.now() - fromMs);
    await sleep(PAUSE_MS);
  };
  while (!state.isOver) {
    await timed("query", () => call(connection, "/v1/functions/things%3Aget/execute", { body: { args: { id } } }));
    const own = ++rank;
    const started = listener.started(own);
    await timed("mutation", () => call(connection, "/v1/functions/things%3AsetRank/execute", { body: { args: { id, rank: own } } }));
    // With the pause and the mutation's own answer before it.
    // One that does not start at all counts as one that took so long.
    await timed("automation", () => Promise.race([started, sleep(AUTOMATION_MS_MAX)]));
  }
}

function runFlood(folder: string, plan: { readonly doors: readonly FloodDoor[]; readonly durationMs: number }): Promise<FloodCounts> {
  const file = join(folder, "doors.json");
  writeFileSync(file, JSON.stringify(plan));
  const child = spawn("nice", ["-n", "19", process.execPath, join(import.meta.dirname, "flood-load.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(text) as FloodCounts) : reject(new Error(`the flood ended with ${code}`)),
    );
  });
}

function shown(what: string, times: Times): Readonly<Record<string, string>> {
  const parts = KINDS.map((kind) => {
    const { p50, p99 } = quantiles(times[kind]);
    return `${kind} ${rounded(p50)} / ${rounded(p99)}`;
  });
  return { [`${what}: p50 / p99, ms`]: parts.join("; ") };
}

function answers(counts: FloodCounts): string {
  return Object.entries(counts)
    .map(
      ([door, each]) =>
        `${door}: ${Object.entries(each)
          .map(([answer, count]) => `${count} × ${answer}`)
          .join(", ")}`,
    )
    .join("; ");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

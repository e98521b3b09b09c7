import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { call, field } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { rounded, type Bench } from "./bench.ts";
import { deploy, forTenant, runBenchFunction, startBenchHost } from "./host.ts";
import { push, quantiles } from "./packages.ts";
import { measureSpawn } from "./raw-spawn.ts";

const SINGLE = 200;
const GOAL_MS = 10;
const THINGS = 40;
const PER_SECOND = 200;
const LOAD_SECONDS = 15;
/** Between two queries of the tenant beside. */
const CALM_PAUSE_MS = 20;

interface Start {
  readonly startedMs: number;
  readonly madeMs: number;
  readonly id: string;
  readonly rank: number;
}

/**
 * From the commit of a change to the first line of the automation that listens to it, one event at a time; then 200 changes a second
 * of one tenant, in order per document, beside a tenant that asks queries.
 */
export const eventToAutomation: Bench = async () => {
  const starts: Start[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      starts.push(JSON.parse(body) as Start);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const host = await startBenchHost(["--egress-allow-private", `127.0.0.1:${port}`]);
  try {
    await call(host.connection, "/v1/tenants", { body: { name: "calm" } });
    const calm = forTenant(host.connection, "calm");
    await Promise.all([deploy(host.connection), deploy(calm)]);
    await install(host.connection, port);
    const ids: string[] = [];
    for (let i = 0; i < THINGS; i++) ids.push(await insert(host.connection));
    const calmId = await insert(calm);
    await untilStarted(starts, 1, () => setRank(host.connection, ids[0] ?? "", -1));

    const afterMs: number[] = [];
    for (let i = 1; i <= SINGLE; i++) {
      const before = starts.length;
      let answeredMs = 0;
      await untilStarted(starts, before + 1, async () => {
        await setRank(host.connection, ids[0] ?? "", i);
        answeredMs = performance.timeOrigin + performance.now();
      });
      const start = starts.at(-1);
      // The answer of the mutation is the first that anybody outside knows of its commit.
      if (start !== undefined) afterMs.push(Math.max(0, start.startedMs - answeredMs));
      await sleep(10);
    }
    const single = quantiles(afterMs);
    const sinceMade = quantiles(starts.slice(-SINGLE).map(({ startedMs, madeMs }) => startedMs - madeMs));

    const idle = await calmly(calm, calmId, () => sleep(5000));
    starts.length = 0;
    let changes = { sent: 0, tookMs: 0 };
    const cpuBeforeMs = cpuMsOf(host.process.ready.pid);
    const beside = await calmly(calm, calmId, async () => {
      changes = await change(host.connection, ids, starts);
    });
    const cpuMs = (cpuMsOf(host.process.ready.pid) - cpuBeforeMs) / changes.sent;
    checkOrder(starts);
    return {
      name: "event-to-automation",
      unit: "ms",
      p50: rounded(single.p50),
      p99: rounded(single.p99),
      perSecond: rounded(starts.length / (changes.tookMs / 1000)),
      raw: { what: "start of a bare `node -e 0`", p50: rounded(await measureSpawn()) },
      ratio: rounded(GOAL_MS / Math.max(single.p50, 0.001)),
      details: {
        "goal, ms": GOAL_MS,
        "since before the commit, p50, ms": rounded(sinceMade.p50),
        "since before the commit, p99, ms": rounded(sinceMade.p99),
        "changes under load, per second": rounded(changes.sent / (changes.tookMs / 1000)),
        "processor time of the host for a change and its delivery, ms": rounded(cpuMs),
        "started under load, p50, ms": rounded(quantiles(starts.map(({ startedMs, madeMs }) => startedMs - madeMs)).p50),
        "query of another tenant, idle, p99, ms": rounded(idle.p99),
        "query of another tenant, under load, p99, ms": rounded(beside.p99),
      },
    };
  } finally {
    await host.stop();
    server.closeAllConnections();
    server.close();
  }
};

async function install(connection: Connection, port: number): Promise<void> {
  await push(connection, { folder: "listener", name: "listener", change: (_, text) => text.replace("PORT", `${port}`) });
  const made = await call(connection, "/v1/snap-ins", { body: { package: "listener" } });
  const active = await call(connection, `/v1/snap-ins/${field(made, "id") ?? ""}/activate`, { body: {} });
  if (field(active, "state") !== "active") throw new Error(JSON.stringify(active));
}

async function insert(connection: Connection): Promise<string> {
  const id = await runBenchFunction(connection, "things:insert", { text: "thing" });
  if (typeof id !== "string") throw new Error("no id");
  return id;
}

async function setRank(connection: Connection, id: string, rank: number): Promise<void> {
  await call(connection, "/v1/functions/things%3AsetRank/execute", { body: { args: { id, rank } } });
}

async function untilStarted(starts: readonly Start[], count: number, cause: () => Promise<void>): Promise<void> {
  await cause();
  for (const endMs = performance.now() + 30_000; starts.length < count;) {
    if (performance.now() > endMs) throw new Error(`${starts.length} of ${count} automations started`);
    await sleep(1);
  }
}

/** Changes at a steady rate, each document by one client after the other; ends when every automation has started. */
async function change(connection: Connection, ids: readonly string[], starts: readonly Start[]) {
  const fromMs = performance.now();
  let sent = 0;
  await Promise.all(
    ids.map(async (id, index) => {
      const periodMs = (1000 * ids.length) / PER_SECOND;
      const firstMs = fromMs + (periodMs * index) / ids.length;
      for (let rank = 1; rank <= (LOAD_SECONDS * PER_SECOND) / ids.length; rank++) {
        await sleep(firstMs + rank * periodMs - performance.now());
        await setRank(connection, id, rank);
        sent++;
      }
    }),
  );
  await untilStarted(starts, sent, () => Promise.resolve());
  return { sent, tookMs: performance.now() - fromMs };
}

/** Times of queries of a tenant while something else goes on. */
async function calmly(connection: Connection, id: string, beside: () => Promise<void>) {
  const state = { isOver: false };
  const timesMs: number[] = [];
  const asking = (async () => {
    while (!state.isOver) {
      const fromMs = performance.now();
      await call(connection, "/v1/functions/things%3Aget/execute", { body: { args: { id } } });
      timesMs.push(performance.now() - fromMs);
      await sleep(CALM_PAUSE_MS);
    }
  })();
  // The first failure is the one that is told: its end stops the host, and what is asked meanwhile fails too.
  await Promise.all([
    asking,
    beside().finally(() => {
      state.isOver = true;
    }),
  ]);
  return quantiles(timesMs);
}

/** Of all threads of a process, so far. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function checkOrder(starts: readonly Start[]): void {
  const last = new Map<string, number>();
  for (const { id, rank } of starts) {
    if (rank !== (last.get(id) ?? 0) + 1) throw new Error(`${id}: ${rank} came after ${last.get(id) ?? 0}`);
    last.set(id, rank);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

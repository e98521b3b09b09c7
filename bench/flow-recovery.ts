import { createServer, type Server } from "node:http";
import type { Connection } from "../packages/cli/src/connection.ts";
import type { LocalHost } from "../tools/local-host.ts";
import { rounded, type Bench } from "./bench.ts";
import { inARow, publishFlow, startRuns } from "./flow-runs.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";
import { measureRawSteps } from "./raw-steps.ts";

/** All that one tenant may have in memory. */
const RUNS = 10_000;
/** Each holds a place for calls of steps until its request is answered: so many places a tenant has. */
const REQUESTS = 500;
const BETWEEN_MS = 25;
const GIVE_UP_MS = 300_000;

/**
 * Open runs when the host is killed: 500 wait for the answer to a request, the others are about to read a document. The host starts
 * twice: while the requests are not answered, until every run is in memory and has asked for its step; then with answers, until every
 * run has made its step and its end is stored.
 */
export const flowRecovery: Bench = async () => {
  let isAnswering = false;
  const server = createServer((request, response) => {
    request.resume();
    if (isAnswering) response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
  });
  const port = await listen(server);
  const args = ["--egress-allow-private", `127.0.0.1:${port}`, "--no-query-cache"];
  let host = await startBenchHost(args);
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "x".repeat(200) });
    const request = { type: "webhook", data: { url: `http://127.0.0.1:${port}/` } };
    const lookup = { type: "lookup", data: { operation: "get_thing", input: { _id: "=trigger.id" } } };
    await publishFlow(host.connection, { name: "request", ...inARow([request]) });
    await publishFlow(host.connection, { name: "lookup", ...inARow([lookup]) });
    await startRuns(host.connection, { name: "request", count: REQUESTS, input: () => null });
    await startRuns(host.connection, { name: "lookup", count: RUNS - REQUESTS, input: () => ({ id }) });
    const silent = await crash(host, args);
    host = silent.host;
    const handsMs = await until(host.connection, silent.fromMs, ({ open }) => open >= RUNS);
    isAnswering = true;
    const answered = await crash(host, args);
    host = answered.host;
    const endedMs = await until(host.connection, answered.fromMs, ({ open, read }) => open === 0 && read >= RUNS - REQUESTS);
    const raw = await measureRawSteps({ calls: 0, commits: 1 }, 16);
    const rawMs = (RUNS / raw.perSecond) * 1000;
    return {
      name: "flow-recovery",
      unit: "ms",
      p50: rounded(handsMs),
      p99: rounded(endedMs),
      perSecond: Math.round(RUNS / ((endedMs - answered.readyMs) / 1000)),
      raw: { what: `${RUNS} times: ${raw.what}`, value: rounded(rawMs) },
      ratio: rounded(rawMs / (endedMs - answered.readyMs)),
      details: {
        "goal, ms": 5000,
        "until the host serves, ms": rounded(silent.readyMs),
        "until every run is in the engine's hands, ms": rounded(handsMs),
        "until every run has made its step and has ended, ms": rounded(endedMs),
        "of these runs with a request": REQUESTS,
      },
    };
  } finally {
    await host.stop();
    server.closeAllConnections();
    server.close();
  }
};

interface Started {
  readonly host: LocalHost;
  /** Of the start. */
  readonly fromMs: number;
  /** From then on until it served. */
  readonly readyMs: number;
}

async function crash(host: LocalHost, args: readonly string[]): Promise<Started> {
  process.kill(host.process.ready.pid, "SIGKILL");
  await host.process.ended;
  const fromMs = performance.now();
  const started = await startBenchHost(args, host.dataDir);
  return { host: started, fromMs, readyMs: performance.now() - fromMs };
}

interface Progress {
  /** Runs in memory. */
  readonly open: number;
  /** Times that the document was read. */
  readonly read: number;
}

/** Resolves when as much has happened as wanted, with the time since `fromMs`. */
async function until(connection: Connection, fromMs: number, isThere: (progress: Progress) => boolean): Promise<number> {
  for (;;) {
    const progress = await progressOf(connection);
    const nowMs = performance.now() - fromMs;
    if (isThere(progress)) return nowMs;
    if (nowMs > GIVE_UP_MS) throw new Error(`of ${RUNS} runs ${progress.open} are open, and ${progress.read} have made their step`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}

async function progressOf({ url, key = "" }: Connection): Promise<Progress> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  const text = await response.text();
  const [, open] = /^plinth_flow_runs (\d+)$/m.exec(text) ?? [];
  const [, read] = /^plinth_invocations_total\{[^}]*objects\/get_thing[^}]*\} (\d+)$/m.exec(text) ?? [];
  return { open: Number(open ?? Number.NaN), read: Number(read ?? 0) };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

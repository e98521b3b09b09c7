import { call, type Json } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { rounded, type Bench } from "./bench.ts";
import { inARow, publishFlow, startRuns } from "./flow-runs.ts";
import { startBenchHost } from "./host.ts";
import { processMiB } from "./host-memory.ts";
import { quantiles } from "./packages.ts";
import type { LocalHost } from "../tools/local-host.ts";

const SLEEPERS = 100_000;
const WAKING = 1000;
/** Time for all that wake to be started before the first of them is due. */
const AHEAD_MS = 15_000;
const SETTLE_MS = 5000;
const MIB = 1024 * 1024;

/** Runs that sleep for days, and what they cost the host; beside them, a thousand that are due within one second. */
export const flowSleepers: Bench = async () => {
  let host = await startBenchHost();
  try {
    await publishFlow(host.connection, { name: "sleep", ...inARow([{ type: "delay", data: { until: "=trigger.until" } }]) });
    await startRuns(host.connection, { name: "sleep", count: 100, input: () => ({ until: inDays(9) }) });
    host = await host.restart();
    const before = await idleMiB(host);
    const tookMs = await startRuns(host.connection, { name: "sleep", count: SLEEPERS, input: () => ({ until: inDays(10) }) });
    const afterStarts = await idleMiB(host);
    host = await host.restart();
    const after = await idleMiB(host);
    const delaysMs = await wake(host.connection, (index) => index);
    const atOnceMs = await wake(host.connection, () => 0);
    const { p50, p99 } = quantiles(delaysMs);
    const timersMs = await measureTimers();
    return {
      name: "flow-sleepers",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(p99),
      perSecond: Math.round(SLEEPERS / (tookMs / 1000)),
      raw: { what: `${WAKING} timers of a bare Node process within one second, the latest`, p50: rounded(timersMs) },
      ratio: rounded(timersMs / p99),
      details: {
        "goal of p99, ms": 100,
        "all due at the same moment, p50, ms": rounded(quantiles(atOnceMs).p50),
        "all due at the same moment, p99, ms": rounded(quantiles(atOnceMs).p99),
        "memory of a run, bytes": Math.round(((after - before) * MIB) / SLEEPERS),
        "goal of that": 200,
        "with what starting them left behind, bytes": Math.round(((afterStarts - before) * MIB) / SLEEPERS),
      },
    };
  } finally {
    await host.stop();
  }
};

/** The least of some looks: what is garbage is given back when nothing happens. */
async function idleMiB(host: LocalHost): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i += 1) {
    await sleep(SETTLE_MS / 5);
    least = Math.min(least, processMiB(host.process.ready.pid));
  }
  return least;
}

/** How late runs went on: from when they were due to their ends. */
async function wake(connection: Connection, offsetMs: (index: number) => number): Promise<readonly number[]> {
  const dueMs = Date.now() + AHEAD_MS;
  const name = `wake${dueMs}`;
  await publishFlow(connection, {
    name,
    ...inARow([
      { type: "delay", data: { until: "=trigger.until" } },
      { type: "return", data: { output: "=trigger.until" } },
    ]),
  });
  await startRuns(connection, { name, count: WAKING, input: (index) => ({ until: new Date(dueMs + offsetMs(index)).toISOString() }) });
  await sleep(dueMs + 1000 - Date.now());
  for (;;) {
    const ended = (await listRuns(connection, name)).filter((run) => typeof run["endedMs"] === "number");
    // The place of a run in the list is the one in which it was started, and so is its offset.
    if (ended.length === WAKING) return ended.toReversed().map((run, index) => Number(run["endedMs"]) - dueMs - offsetMs(index));
    await sleep(200);
  }
}

async function listRuns(connection: Connection, flow: string): Promise<readonly Readonly<Record<string, Json | undefined>>[]> {
  const all: Readonly<Record<string, Json | undefined>>[] = [];
  for (;;) {
    const last = all.at(-1)?.["id"];
    const page = await call(connection, `/v1/flow-runs?flow=${flow}${typeof last === "string" ? `&after=${last}` : ""}`);
    const { runs } = page as { readonly runs: readonly Readonly<Record<string, Json | undefined>>[] };
    if (runs.length === 0) return all;
    all.push(...runs);
  }
}

async function measureTimers(): Promise<number> {
  const fromMs = performance.now() + 100;
  const lates = await Promise.all(
    Array.from({ length: WAKING }, async (_, index) => {
      await sleep(fromMs + index - performance.now());
      return performance.now() - fromMs - index;
    }),
  );
  return quantiles(lates).p99;
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

import { rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { push, quantiles, timeHandler, variant } from "./packages.ts";
import { measureSpawn, PLAIN_JAIL } from "./raw-spawn.ts";

/** Twice as many as a tenant has processes: whenever one is called, its process has given way to others. */
const PACKAGES = 16;
const ROUNDS = 3;
const GOAL_MS = 150;
const CALLS_AFTER_PUSH = 10;

/** The first call of a Node version whose process does not run: not since its upload, or not any more. */
export const nodeCold: Bench = async () => {
  const host = await startBenchHost(["--warm-runners", "0"]);
  try {
    const names = Array.from({ length: PACKAGES }, (_, index) => `bench${index}`);
    const afterPushMs: number[] = [];
    for (const name of names) {
      await push(host.connection, { folder: "node", name, change: variant(name) });
    }
    const neverRunMs: number[] = [];
    for (const name of names) neverRunMs.push(await timeHandler(host.connection, name));
    const evictedMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) for (const name of names) evictedMs.push(await timeHandler(host.connection, name));
    for (let i = 0; i < CALLS_AFTER_PUSH; i += 1) {
      await push(host.connection, { folder: "node", name: "bench0", change: variant(`again ${i}`) });
      afterPushMs.push(await timeHandler(host.connection, "bench0"));
    }
    const node = [process.execPath, "-e", ""];
    const raw = await measureSpawn(node);
    const jailed = await measureSpawn([...PLAIN_JAIL, ...node]);
    const { p50, p99 } = quantiles(evictedMs);
    return {
      name: "node-cold",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(p99),
      raw: { what: "start and end of a bare `node -e ''`", p50: rounded(raw) },
      ratio: rounded(raw / p50),
      details: {
        "goal, ms": GOAL_MS,
        "raw in a plain jail, ms": rounded(jailed),
        "never called before p50, ms": rounded(quantiles(neverRunMs).p50),
        "after a push p50, ms": rounded(quantiles(afterPushMs).p50),
      },
    };
  } finally {
    await host.stop();
  }
};

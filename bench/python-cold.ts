import { rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { push, quantiles, reusingProcesses, timeHandler, untilReady, variant } from "./packages.ts";
import { measureSpawn, PLAIN_JAIL } from "./raw-spawn.ts";

/** Twice as many as a tenant has processes: whenever one is called, its process has given way to others. */
const PACKAGES = 16;
const ROUNDS = 3;
const CALLS = 40;
const GOAL_MS = 60;
/** The process that reads manifests is kept ready too. */
const SPARE_AND_TOOLS = 2;

/** The first call of a process of a Python handler, with a spare process ready and without. */
export const pythonCold: Bench = async () => {
  const host = await startBenchHost(["--warm-runners", "0"]);
  try {
    const readyMs: number[] = [];
    const nextMs: number[] = [];
    await push(host.connection, { folder: "python", name: "bench" });
    for (let i = 0; i < CALLS; i += 1) {
      await untilReady(host.connection, SPARE_AND_TOOLS);
      readyMs.push(await timeHandler(host.connection, "bench"));
    }
    for (let i = 0; i < CALLS; i += 1) nextMs.push(await timeHandler(host.connection, "bench"));
    const names = Array.from({ length: PACKAGES }, (_, index) => `bench${index}`);
    const withoutMs: number[] = [];
    for (const name of names)
      await push(host.connection, {
        folder: "python",
        name,
        change: (path, text) => reusingProcesses(path, variant(name)(path, text)),
      });
    for (let round = 0; round < ROUNDS; round += 1) for (const name of names) withoutMs.push(await timeHandler(host.connection, name));
    const python = ["/usr/bin/python3", "-I", "-S", "-c", "pass"];
    const raw = await measureSpawn(python);
    const jailed = await measureSpawn([...PLAIN_JAIL, ...python]);
    const { p50, p99 } = quantiles(readyMs);
    return {
      name: "python-cold",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(p99),
      raw: { what: "start and end of a bare `python3 -I -S -c pass`", p50: rounded(raw) },
      ratio: rounded(raw / p50),
      details: {
        "goal, ms": GOAL_MS,
        "raw in a plain jail, ms": rounded(jailed),
        "one call after the other p50, ms": rounded(quantiles(nextMs).p50),
        "without a spare p50, ms": rounded(quantiles(withoutMs).p50),
        "without a spare p99, ms": rounded(quantiles(withoutMs).p99),
      },
    };
  } finally {
    await host.stop();
  }
};

import type { Bench } from "./bench.ts";
import { figureOfRuns, inARow, measureRuns, publishFlow } from "./flow-runs.ts";
import { startBenchHost } from "./host.ts";

const STEPS = 40;
const FIB = "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(10);";

/** A run of 40 scripts, one after the other, each of which computes fibonacci(10) in an isolate; and a run of one. */
export const flowFib40: Bench = async () => {
  const host = await startBenchHost();
  try {
    const script = { type: "script", data: { code: FIB } };
    await publishFlow(host.connection, { name: "fib40", ...inARow(Array.from({ length: STEPS }, () => script)) });
    await publishFlow(host.connection, { name: "fib1", ...inARow([script]) });
    const one = await measureRuns(host.connection, { name: "fib1", input: {} });
    const runs = await measureRuns(host.connection, { name: "fib40", input: {} });
    const singleP50 = one.single.latenciesMs[Math.floor(one.single.latenciesMs.length / 2)] ?? Number.NaN;
    return await figureOfRuns("flow-fib40", runs, {
      work: { calls: STEPS, commits: 1 },
      details: (p50) => ({
        "per step, ms": p50 / STEPS,
        "goal per step, ms": 1.5,
        "run of one script, p50, ms": singleP50,
        "one script more, p50, ms": (p50 - singleP50) / (STEPS - 1),
        "runs of one script per second": one.many.perSecond,
      }),
    });
  } finally {
    await host.stop();
  }
};

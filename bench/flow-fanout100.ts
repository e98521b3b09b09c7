import type { Bench } from "./bench.ts";
import { figureOfRuns, measureRuns, publishFlow } from "./flow-runs.ts";
import { startBenchHost } from "./host.ts";

const ITEMS = 100;
const FIB = "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(10);";

/** A run of a loop whose 100 items run at the same time: a script in an isolate for each; and the same with an assignment for each. */
export const flowFanout100: Bench = async () => {
  const host = await startBenchHost();
  try {
    const loop = { type: "for_each", data: { items: "=trigger.items", body: "each", concurrency: ITEMS } };
    await publishFlow(host.connection, {
      name: "scripts",
      start: "loop",
      nodes: { loop, each: { type: "script", data: { code: FIB } } },
    });
    await publishFlow(host.connection, {
      name: "values",
      variables: { sum: { type: "number", initial: 0 } },
      start: "loop",
      nodes: { loop, each: { type: "assignment", data: { values: { sum: "=vars.sum + item" } } } },
    });
    const input = { items: Array.from({ length: ITEMS }, (_, index) => index) };
    const values = await measureRuns(host.connection, { name: "values", input });
    const scripts = await measureRuns(host.connection, { name: "scripts", input });
    return await figureOfRuns("flow-fanout100", scripts, {
      work: { calls: ITEMS, commits: 1 },
      details: (p50) => ({
        "per item, ms": p50 / ITEMS,
        "of assignments, p50, ms": values.single.latenciesMs[Math.floor(values.single.latenciesMs.length / 2)] ?? Number.NaN,
        "runs of assignments per second": values.many.perSecond,
      }),
    });
  } finally {
    await host.stop();
  }
};

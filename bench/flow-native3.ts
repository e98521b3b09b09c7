import type { Bench } from "./bench.ts";
import { figureOfRuns, FLOW_CLIENTS, inARow, measureRuns, publishFlow } from "./flow-runs.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";

const STEPS = 3;

/** A run of three steps whose code is the host's: each reads a document by its id, and never from the cache of queries. */
export const flowNative3: Bench = async () => {
  const host = await startBenchHost(["--no-query-cache"]);
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "x".repeat(200) });
    const lookup = { type: "lookup", data: { operation: "get_thing", input: { _id: "=trigger.id" } } };
    await publishFlow(host.connection, { name: "native3", ...inARow(Array.from({ length: STEPS }, () => lookup)) });
    const runs = await measureRuns(host.connection, { name: "native3", input: { id } });
    await publishFlow(host.connection, { name: "nothing", ...inARow([{ type: "return", data: { output: "=trigger.id" } }]) });
    const nothing = await measureRuns(host.connection, { name: "nothing", input: { id } });
    const nothingP50 = nothing.single.latenciesMs[Math.floor(nothing.single.latenciesMs.length / 2)] ?? Number.NaN;
    return await figureOfRuns("flow-native3", runs, {
      work: { calls: 0, commits: 1 },
      details: (p50) => ({
        "one step more, p50, ms": (p50 - nothingP50) / STEPS,
        "goal of a step, ms": 0.3,
        [`goal per second, ${FLOW_CLIENTS} clients`]: 2500,
        "run of a return alone, p50, ms": nothingP50,
        "runs of a return alone per second": nothing.many.perSecond,
      }),
    });
  } finally {
    await host.stop();
  }
};

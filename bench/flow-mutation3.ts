import type { Bench } from "./bench.ts";
import { figureOfRuns, FLOW_CLIENTS, inARow, measureRuns, publishFlow } from "./flow-runs.ts";
import { deploy, runBenchFunction, startBenchHost } from "./host.ts";

/** A run of three mutations in an isolate, each of which reads a document and inserts one, exactly once. */
export const flowMutation3: Bench = async () => {
  const host = await startBenchHost();
  try {
    await deploy(host.connection);
    const id = await runBenchFunction(host.connection, "things:insert", { text: "first" });
    const step = (text: string) => ({
      type: "invoke",
      data: { function: "things:readAndInsert", input: { id: "=trigger.id", text } },
    });
    await publishFlow(host.connection, { name: "mutation3", ...inARow([step("a"), step("b"), step("c")]) });
    const runs = await measureRuns(host.connection, { name: "mutation3", input: { id } });
    return await figureOfRuns("flow-mutation3", runs, {
      work: { calls: 3, commits: 3 },
      details: (p50) => ({
        "goal of p50, ms": 4,
        [`goal per second, ${FLOW_CLIENTS} clients`]: 700,
        "per step, ms": p50 / 3,
      }),
    });
  } finally {
    await host.stop();
  }
};

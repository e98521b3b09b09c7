import { call, field } from "../packages/cli/src/client.ts";
import type { Bench } from "./bench.ts";
import { figureOfRuns, FLOW_CLIENTS, inARow, measureRequests, publishFlow } from "./flow-runs.ts";
import { startBenchHost } from "./host.ts";

/** A request to the address of a flow, a script in an isolate that computes the reply, and the reply. */
export const flowWebhookScript: Bench = async () => {
  const host = await startBenchHost();
  try {
    // As an operator does who expects more than the host's own bound of one address.
    await call(host.connection, "/v1/limits", { method: "PUT", body: { rate: { perSecond: 100_000 } } });
    const code = "return { text: `Hello ${workflow.trigger.name}`, total: workflow.trigger.items.reduce((a, b) => a + b, 0) };";
    await publishFlow(host.connection, {
      name: "greet",
      trigger: { type: "webhook", data: { reply: "sync" } },
      ...inARow([{ type: "script", data: { code } }]),
    });
    const url = field(await call(host.connection, "/v1/flows/greet/address"), "url") ?? "";
    const runs = await measureRequests({
      url: new URL(url),
      bodies: [JSON.stringify({ name: "bench", items: [1, 2, 3] })],
      check: (body) => {
        if (body !== '{"text":"Hello bench","total":6}') throw new Error(body.slice(0, 1000));
      },
    });
    return await figureOfRuns("flow-webhook-script", runs, {
      work: { calls: 1, commits: 1 },
      details: () => ({ "goal of p50, ms": 5, [`goal per second, ${FLOW_CLIENTS} clients`]: 500 }),
    });
  } finally {
    await host.stop();
  }
};

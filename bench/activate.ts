import { call, field } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { rounded, type Bench } from "./bench.ts";
import { startBenchHost } from "./host.ts";
import { push, quantiles, variant } from "./packages.ts";
import { measureSpawn } from "./raw-spawn.ts";

/** Twice as many as a tenant has processes: whenever one is activated, its process has given way to others. */
const PACKAGES = 16;
const AGAIN = 15;
const GOAL_MS = 1000;

/** Activation of a package with ten event sources, inputs, service account, tags and a hook whose process has to start. */
export const activate: Bench = async () => {
  const host = await startBenchHost(["--warm-runners", "0"]);
  try {
    const ids: string[] = [];
    for (let i = 0; i < PACKAGES; i += 1) {
      await push(host.connection, { folder: "activated", name: `bench${i}`, change: variant(`${i}`) });
      const made = await call(host.connection, "/v1/snap-ins", { body: { package: `bench${i}` } });
      ids.push(field(made, "id") ?? "");
    }
    const coldMs: number[] = [];
    for (const id of ids) coldMs.push(await timeActivation(host.connection, id));
    const warmMs: number[] = [];
    const last = ids.at(-1) ?? "";
    for (let i = 0; i < AGAIN; i += 1) {
      await call(host.connection, `/v1/snap-ins/${last}/deactivate`, { body: {} });
      warmMs.push(await timeActivation(host.connection, last));
    }
    const raw = await measureSpawn();
    const { p50, p99 } = quantiles(coldMs);
    return {
      name: "activate",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(p99),
      raw: { what: "start of a bare `node -e 0`, which the hook needs", p50: rounded(raw) },
      ratio: rounded(raw / p50),
      details: { "goal, ms": GOAL_MS, "hook's process runs, p50, ms": rounded(quantiles(warmMs).p50) },
    };
  } finally {
    await host.stop();
  }
};

async function timeActivation(connection: Connection, id: string): Promise<number> {
  const fromMs = performance.now();
  const snapIn = await call(connection, `/v1/snap-ins/${id}/activate`, { body: {} });
  const tookMs = performance.now() - fromMs;
  const { eventSources } = snapIn as { readonly eventSources?: readonly unknown[] };
  if (field(snapIn, "state") !== "active" || eventSources?.length !== 10)
    throw new Error(`not active: ${JSON.stringify(snapIn).slice(0, 500)}`);
  return tookMs;
}

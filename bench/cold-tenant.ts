import { call, type Json } from "../packages/cli/src/client.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { rounded, type Bench } from "./bench.ts";
import { deploy, forTenant, runBenchFunction, startBenchHost } from "./host.ts";
import { percentile } from "./load.ts";
import { measureSpawn } from "./raw-spawn.ts";

const TENANTS = 40;

/**
 * The first call of a tenant that has no process yet, with the pool warm: a new host on the data of many tenants, each
 * called once, the pool given time to refill between the calls, as it has between real arrivals.
 */
export const coldTenant: Bench = async () => {
  const first = await startBenchHost();
  const ids: Json[] = [];
  for (let i = 0; i < TENANTS; i += 1) {
    await call(first.connection, "/v1/tenants", { body: { name: `tenant-${i}` } });
    const connection = forTenant(first.connection, `tenant-${i}`);
    await deploy(connection);
    ids.push(await runBenchFunction(connection, "things:insert", { text: "x" }));
  }
  const host = await first.restart();
  try {
    const latenciesMs: number[] = [];
    for (const [i, id] of ids.entries()) {
      await untilWarm(host.connection);
      const fromMs = performance.now();
      await runBenchFunction(forTenant(host.connection, `tenant-${i}`), "things:get", { id });
      latenciesMs.push(performance.now() - fromMs);
    }
    latenciesMs.sort((a, b) => a - b);
    const raw = await measureSpawn();
    const p50 = percentile(latenciesMs, 0.5);
    return {
      name: "cold-tenant",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(latenciesMs, 0.99)),
      raw: { what: "start of a bare `node -e 0`, which a call would wait for without the pool", p50: rounded(raw) },
      ratio: rounded(raw / p50),
    };
  } finally {
    await host.stop();
  }
};

/** Waits until the pool has as many warm runners as it keeps. */
export async function untilWarm(connection: Connection): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    const health = (await call(connection, "/healthz")) as { readonly runners?: { readonly warm?: number } };
    if ((health.runners?.warm ?? 0) >= 2) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the pool did not become warm within five seconds");
}

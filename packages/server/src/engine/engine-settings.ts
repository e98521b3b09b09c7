/** What of the configuration is the engine's. */
import { DEFAULT_PRICES, type Prices } from "@plinth/core/policy/cost.ts";
import type { Config } from "../config.ts";
import { engineConfig, type EngineConfig } from "./engine-config.ts";

const HOUR_MS = 3_600_000;

export function engineSettings(config: Config): EngineConfig {
  return engineConfig({
    deploymentName: config.instanceName,
    perTenant: { query: config.queriesPerTenant, mutation: config.mutationsPerTenant, action: config.actionsPerTenant },
    userCpuMs: config.userCpuMs,
    actionWallMs: config.actionWallMs,
    invocationRetentionMs: config.invocationRetentionHours * HOUR_MS,
    prices: pricesOf(config.prices),
    drainMs: config.drainMs,
    ...(config.queryCache ? {} : { queryCacheBytes: 0 }),
  });
}

/** `name=price` pairs over the default price list. */
function pricesOf(pairs: readonly string[]): Prices {
  const given = new Map(pairs.map((pair) => pair.split("=", 2) as [string, string]));
  const price = (name: string, otherwise: number) => Number(given.get(name) ?? otherwise);
  return {
    perGibSecond: price("gib-second", DEFAULT_PRICES.perGibSecond),
    perCpuSecond: price("cpu-second", DEFAULT_PRICES.perCpuSecond),
    perMillionCalls: price("million-calls", DEFAULT_PRICES.perMillionCalls),
    perEgressGib: price("egress-gib", DEFAULT_PRICES.perEgressGib),
  };
}

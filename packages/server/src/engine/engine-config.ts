/** What an operator can set of the engine. The defaults are the limits of `core/limits.ts`. */
import { limit } from "@plinth/core/limits.ts";
import { DEFAULT_PRICES, type Prices } from "@plinth/core/policy/cost.ts";
import type { Group, Lane } from "@plinth/core/policy/admission.ts";

export interface EngineConfig {
  readonly deploymentName: string;
  /** Calls of one tenant that run at the same time. */
  readonly perTenant: Readonly<Record<Lane, number>>;
  /** Calls of all tenants that run at the same time. */
  readonly host: Readonly<Record<Group, number>>;
  readonly userCpuMs: number;
  readonly actionWallMs: number;
  /** 0 switches the query cache off. */
  readonly queryCacheBytes: number;
  readonly invocationRetentionMs: number;
  readonly idempotencyRetentionMs: number;
  readonly prices: Prices;
  /** How long running calls may finish when the host stops. */
  readonly drainMs: number;
}

export function engineConfig(changes: Partial<EngineConfig> = {}): EngineConfig {
  return {
    deploymentName: "plinth",
    perTenant: { query: limit("queriesPerTenantMax"), mutation: limit("mutationsPerTenantMax"), action: limit("actionsPerTenantMax") },
    host: { transaction: limit("hostTransactionsMax"), action: limit("hostActionsMax") },
    userCpuMs: limit("userCpuMsMax"),
    actionWallMs: limit("actionWallMsMax"),
    queryCacheBytes: limit("queryCacheBytesMax"),
    invocationRetentionMs: limit("invocationRetentionMs"),
    idempotencyRetentionMs: limit("idempotencyRetentionMs"),
    prices: DEFAULT_PRICES,
    drainMs: 5000,
    ...changes,
  };
}

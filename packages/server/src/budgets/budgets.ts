/**
 * What a tenant's calls cost, and what may be spent. This file is the contract; `open-budgets.ts` makes one.
 *
 * B1 Every invocation has a cost, made from its usage and the host's prices by `core/policy/cost.ts`, also one that failed.
 * B2 The stage of a tenant (`ok`, `warn`, `throttle`, `degrade`, `refuse`) follows from what it spent in the period by
 *    `core/policy/budget.ts`; each change of stage is an event of the tenant and a log line, once.
 * B3 What was spent survives a restart but for at most the last second.
 * B4 Checks at intake read memory only.
 */
import type { Scope } from "../database/database.ts";
import type { InvocationRequest } from "../engine/invocation.ts";
import type { ResultSink } from "../engine/result-sink.ts";

export interface Budgets {
  /**
   * Before a call is admitted. Rejects with RateLimited or BudgetExceeded, which say when to come again; may lower the call's
   * priority (degrade) or put it off (throttle).
   */
  admit(scope: Scope, call: { readonly path: string; readonly request: InvocationRequest }): Admitted;
  /** Counts what calls cost. */
  readonly sink: ResultSink;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Admitted {
  readonly priority: InvocationRequest["priority"];
  /** Wait this long before the call takes its place; 0 usually. */
  readonly delayMs: number;
  /** Called at the end of the call, exactly once: frees its place among the function's concurrent calls. */
  readonly end: () => void;
}

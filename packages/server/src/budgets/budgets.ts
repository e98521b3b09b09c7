/**
 * What a tenant's calls may take and cost. This file is the contract; `open-budgets.ts` makes one.
 *
 * B1 Every invocation has a cost, made from its usage and the host's prices by `core/policy/cost.ts`, also one that failed.
 * B2 The stage of a tenant (`ok`, `warn`, `throttle`, `degrade`, `refuse`) follows from what it spent in the period by
 *    `core/policy/budget.ts`; each change of stage is an event of the tenant and a log line, once.
 * B3 What was spent survives a restart but for at most the last second.
 * B4 Checks before a call read memory only.
 * B5 A tenant can make its functions' limits tighter; all that is about it as a whole is the operator's to set.
 */
import type { Budget, BudgetStage } from "@plinth/core/policy/budget.ts";
import type { RateLimit } from "@plinth/core/policy/rate.ts";
import type { Scope } from "../database/database.ts";
import type { Priority } from "../engine/invocation.ts";
import type { ResultSink } from "../engine/result-sink.ts";

/** What one call may take; what is null has the host's limit. */
export interface CallLimits {
  readonly cpuMs: number | null;
  readonly wallMs: number | null;
  readonly memoryBytes: number | null;
  readonly resultBytes: number | null;
}

/** What a function may take. */
export interface FunctionLimits extends CallLimits {
  /** Path of a function, or its beginning with `*` behind it: `@crm/*`, `reports:nightly`, `$operation/http`. */
  readonly function: string;
  readonly rate: RateLimit | null;
  /** Calls of it that run at the same time. */
  readonly concurrency: number | null;
}

export interface TenantLimits {
  /** Queries, mutations and actions of the tenant that run at the same time, each of these; more of them wait. */
  readonly concurrency: number | null;
  /** Of every call of the tenant; a function's own limits count where they are tighter. */
  readonly calls: CallLimits;
  readonly rate: RateLimit | null;
  readonly budget: Budget | null;
  /** The first whose name fits is the one. */
  readonly functions: readonly FunctionLimits[];
}

/** What a tenant used in a day. */
export interface Spending {
  readonly day: string;
  readonly costNanos: number;
  readonly calls: number;
  readonly executionMs: number;
  readonly cpuMs: number;
  readonly gibSeconds: number;
  readonly egressBytes: number;
}

export interface Budgets {
  /**
   * Before a call takes its place. Rejects with RateLimited or BudgetExceeded; a patient call waits for its rate and its place among
   * the function's concurrent calls instead.
   */
  admit(scope: Scope, call: AdmittedCall): Promise<Admitted>;
  /** Before the kept result of an earlier call is handed out: rates and budget, as for `admit`. */
  admitKept(scope: Scope, call: AdmittedCall): Promise<void>;
  /** Whether calls are taken at all: for those that are stored. Throws BudgetExceeded. */
  checkStored(scope: Scope): void;
  /** Counts what calls cost. */
  readonly sink: ResultSink;
  limits(tenant: string): TenantLimits;
  setLimits(tenant: string, limits: TenantLimits): Promise<void>;
  /** Of the current month, by day. */
  /** Deletes what is kept about a tenant that was deleted; calls of it that end later are not counted. */
  forgetTenant(tenant: string): Promise<void>;
  spending(tenant: string): { readonly stage: BudgetStage; readonly spentNanos: number; readonly days: readonly Spending[] };
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface AdmittedCall {
  readonly path: string;
  readonly priority: Priority;
  readonly patient: boolean;
  readonly signal: AbortSignal;
}

export interface Admitted {
  readonly priority: Priority;
  readonly limits: CallLimits | undefined;
  /** Called at the end of the call, exactly once. */
  readonly end: () => void;
}

/**
 * What the host counts, in Prometheus' text form. A function is labelled with its path, branch and kind; tenants are
 * no label, because their number has no bound.
 */
import { limit } from "@plinth/core/limits.ts";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { InvocationUsage, WaitReason } from "../engine/invocation.ts";
import type { PoolStatus } from "../sandbox/sandbox.ts";
import { LabelGuard } from "./label-guard.ts";

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600];
const BYTES = [1, 4, 8, 16, 32, 64, 128, 256].map((mebibytes) => mebibytes * 1024 * 1024);

export interface FinishedCall {
  readonly path: string;
  readonly branch: string;
  readonly kind: FunctionKind;
  readonly source: string;
  /** Code of the error; absent when it succeeded. */
  readonly errorCode?: string;
  readonly usage: InvocationUsage;
}

export interface QueueStatus {
  readonly waiting: number;
  readonly runningTransactions: number;
  readonly runningActions: number;
}

export class Metrics {
  readonly #registry = new Registry();
  /** Functions in their branches, so that the bound is one on both together. */
  readonly #functions = new LabelGuard(limit("metricFunctionsMax"));
  readonly #branches = new LabelGuard(limit("metricBranchesMax"));
  readonly #invocations = this.#counter("plinth_invocations_total", "Finished invocations.", [
    "function",
    "branch",
    "kind",
    "source",
    "status",
  ]);
  readonly #errors = this.#counter("plinth_invocation_errors_total", "Failed invocations by error code.", [
    "function",
    "branch",
    "kind",
    "code",
  ]);
  readonly #execution = this.#histogram(
    "plinth_execution_seconds",
    "From the start of the run to its end.",
    ["function", "branch", "kind"],
    SECONDS,
  );
  readonly #user = this.#counter("plinth_user_seconds_total", "Time in user code, waits for the host excluded.", [
    "function",
    "branch",
    "kind",
  ]);
  readonly #queueDelay = this.#histogram("plinth_queue_delay_seconds", "From the request to the start of the run.", ["kind"], SECONDS);
  readonly #memory = this.#histogram("plinth_memory_bytes", "Memory that the runner reported for a call.", ["kind"], BYTES);
  readonly #cost = this.#counter("plinth_cost_total", "What calls cost, in the host's currency.", ["function", "branch", "kind"]);
  readonly #egress = this.#counter("plinth_egress_bytes_total", "Bytes of requests to other systems and of their answers.", ["kind"]);
  readonly #coldStarts = this.#counter("plinth_cold_starts_total", "Invocations for which a runner was started or assigned.", ["kind"]);
  readonly #conflicts = this.#counter("plinth_conflicts_total", "Runs that were repeated because of a conflict.", ["function", "branch"]);
  readonly #cache = this.#counter("plinth_query_cache_total", "Looks into the query cache.", ["result"]);
  readonly #waits = this.#counter("plinth_waits_total", "Times that work had to wait, by reason.", ["reason"]);
  readonly #waitSeconds = this.#counter("plinth_wait_seconds_total", "Time that work waited, by its first reason.", ["reason"]);
  readonly #fetches = this.#counter("plinth_fetches_total", "Requests that actions made.", ["result"]);
  readonly #violations = this.#counter("plinth_security_violations_total", "Attempts that the host refused as violations.", ["kind"]);
  readonly #dropped = this.#counter("plinth_records_dropped_total", "Invocation records that were not kept, by reason.", ["reason"]);
  readonly #hookFailures = this.#counter("plinth_hook_failures_total", "Hooks at the end of an invocation, and sinks, that failed.", [
    "hook",
  ]);
  readonly #scheduled = this.#counter("plinth_scheduled_runs_total", "Runs of scheduled functions and crons.", ["kind", "result"]);
  readonly #scheduleDelay = this.#histogram(
    "plinth_schedule_delay_seconds",
    "From the due time to the start of a scheduled run.",
    [],
    SECONDS,
  );

  finished(call: FinishedCall): void {
    const { kind, usage } = call;
    const branch = this.#branches.label(call.branch);
    const fn = this.#functions.label(`${branch} ${call.path}`) === "other" ? "other" : call.path;
    this.#invocations.inc({
      function: fn,
      branch,
      kind,
      source: call.source,
      status: call.errorCode === undefined ? "succeeded" : "failed",
    });
    if (call.errorCode !== undefined) this.#errors.inc({ function: fn, branch, kind, code: call.errorCode });
    if (usage.conflicts > 0) this.#conflicts.inc({ function: fn, branch }, usage.conflicts);
    if (usage.costNanos > 0) this.#cost.inc({ function: fn, branch, kind }, usage.costNanos / 1e9);
    if (usage.egressBytes > 0) this.#egress.inc({ kind }, usage.egressBytes);
    if (usage.cached) return;
    this.#execution.observe({ function: fn, branch, kind }, usage.executionMs / 1000);
    this.#user.inc({ function: fn, branch, kind }, usage.userMs / 1000);
    this.#queueDelay.observe({ kind }, usage.queueMs / 1000);
    if (usage.memoryBytes > 0) this.#memory.observe({ kind }, usage.memoryBytes);
    if (usage.coldStart) this.#coldStarts.inc({ kind });
  }

  cache(result: "hit" | "miss" | "joined"): void {
    this.#cache.inc({ result });
  }

  waited(reason: WaitReason, waitMs: number): void {
    this.#waits.inc({ reason });
    this.#waitSeconds.inc({ reason }, waitMs / 1000);
  }

  fetched(result: "ok" | "refused" | "failed"): void {
    this.#fetches.inc({ result });
  }

  hookFailed(hook: string): void {
    this.#hookFailures.inc({ hook });
  }

  violation(kind: string): void {
    this.#violations.inc({ kind });
  }

  recordsDropped(reason: "sampled" | "full" | "failed", count: number): void {
    this.#dropped.inc({ reason }, count);
  }

  scheduledRun(kind: "function" | "cron", result: "success" | "failed" | "canceled" | "skipped" | "retried", count = 1): void {
    this.#scheduled.inc({ kind, result }, count);
  }

  scheduleDelay(delayMs: number): void {
    this.#scheduleDelay.observe(Math.max(0, delayMs) / 1000);
  }

  /** Shows the pool whenever the metrics are read. */
  watchPool(read: () => PoolStatus): void {
    this.#gauge("plinth_runners", "Runners.", () => read().runners);
    this.#gauge("plinth_runners_warm", "Runners that wait for a tenant.", () => read().warm);
    this.#gauge("plinth_runners_busy", "Runners with a call.", () => read().busy);
    this.#gauge("plinth_runners_memory_bytes", "Memory of all runners.", () => read().memoryBytes);
    this.#gauge("plinth_runners_spawned", "Runners started since the host began.", () => read().spawned);
    this.#gauge("plinth_runners_killed", "Runners killed since the host began.", () => read().killed);
  }

  watchQueue(read: () => QueueStatus): void {
    this.#gauge("plinth_queue_waiting", "Calls that wait for a place.", () => read().waiting);
    this.#gauge("plinth_running_transactions", "Queries and mutations that run.", () => read().runningTransactions);
    this.#gauge("plinth_running_actions", "Actions that run.", () => read().runningActions);
  }

  watchCache(read: () => { readonly entries: number; readonly bytes: number }): void {
    this.#gauge("plinth_query_cache_entries", "Results in the query cache.", () => read().entries);
    this.#gauge("plinth_query_cache_bytes", "Memory of the query cache.", () => read().bytes);
  }

  metricsText(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter<const Name extends string>(name: string, help: string, labelNames: readonly Name[]): Counter<Name> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<const Name extends string>(name: string, help: string, labelNames: readonly Name[], buckets: number[]): Histogram<Name> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }
}

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

/** Name and unit of OpenTelemetry; a name alone is a count. */
type Instrument = string | { readonly name: string; readonly unit: keyof typeof UNIT_SUFFIXES };
const UNIT_SUFFIXES = { s: "_seconds", By: "_bytes" } as const;

/** One metric as it stands, for exporters. */
export interface MetricReading {
  readonly name: string;
  /** `1`, `s` or `By`. */
  readonly unit: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Histograms as Prometheus has them: `part` is a cumulative `_bucket` with the label `le`, the `_sum` or the `_count`. */
  readonly values: readonly {
    readonly part: string;
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
  }[];
}

export interface QueueStatus {
  readonly waiting: number;
  readonly runningTransactions: number;
  readonly runningActions: number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #instruments = new Map<string, Pick<MetricReading, "name" | "unit" | "type">>();
  /** Functions in their branches, so that the bound is one on both together. */
  readonly #functions = new LabelGuard(limit("metricFunctionsMax"));
  readonly #branches = new LabelGuard(limit("metricBranchesMax"));
  readonly #invocations = this.#counter("plinth.invocations", "Finished invocations.", ["function", "branch", "kind", "source", "status"]);
  readonly #errors = this.#counter("plinth.invocation.errors", "Failed invocations by error code.", ["function", "branch", "kind", "code"]);
  readonly #execution = this.#histogram(
    { name: "plinth.execution.duration", unit: "s" },
    "From the start of the run to its end.",
    ["function", "branch", "kind"],
    SECONDS,
  );
  readonly #user = this.#counter({ name: "plinth.execution.user_time", unit: "s" }, "Time in user code, waits for the host excluded.", [
    "function",
    "branch",
    "kind",
  ]);
  readonly #queueDelay = this.#histogram(
    { name: "plinth.execution.queue_delay", unit: "s" },
    "From the request to the start of the run.",
    ["kind"],
    SECONDS,
  );
  readonly #memory = this.#histogram(
    { name: "plinth.execution.memory", unit: "By" },
    "Memory that the runner reported for a call.",
    ["kind"],
    BYTES,
  );
  readonly #cost = this.#counter("plinth.execution.cost", "What calls cost, in the host's currency.", ["function", "branch", "kind"]);
  readonly #egress = this.#counter(
    { name: "plinth.execution.egress", unit: "By" },
    "Bytes of requests to other systems and of their answers.",
    ["kind"],
  );
  readonly #coldStarts = this.#counter("plinth.cold_starts", "Invocations for which a runner was started or assigned.", ["kind"]);
  readonly #conflicts = this.#counter("plinth.conflicts", "Runs that were repeated because of a conflict.", ["function", "branch"]);
  readonly #cache = this.#counter("plinth.query_cache.lookups", "Looks into the query cache.", ["result"]);
  readonly #waits = this.#counter("plinth.waits", "Times that work had to wait, by reason.", ["reason"]);
  readonly #waitSeconds = this.#counter({ name: "plinth.wait", unit: "s" }, "Time that work waited, by its first reason.", ["reason"]);
  readonly #fetches = this.#counter("plinth.fetches", "Requests that actions made.", ["result"]);
  readonly #violations = this.#counter("plinth.security_violations", "Attempts that the host refused as violations.", ["kind"]);
  readonly #dropped = this.#counter("plinth.records.dropped", "Invocation records that were not kept, by reason.", ["reason"]);
  readonly #hookFailures = this.#counter("plinth.hook_failures", "Hooks at the end of an invocation, and sinks, that failed.", ["hook"]);
  readonly #scheduled = this.#counter("plinth.scheduled_runs", "Runs of scheduled functions and crons.", ["kind", "result"]);
  readonly #scheduleDelay = this.#histogram(
    { name: "plinth.schedule_delay", unit: "s" },
    "From the due time to the start of a scheduled run.",
    [],
    SECONDS,
  );

  readonly #syncRuns = this.#counter("plinth.sync.runs", "Sync runs that ended.", ["mode", "result"]);
  readonly #syncRefusals = this.#counter("plinth.sync.reports_refused", "Reports of sync calls that were refused.", ["result"]);

  readonly #flowReaped = this.#counter("plinth.flow.reaped", "What was stuck in flows and was looked after.", ["what"]);
  readonly #connectionsRefused = this.#counter("plinth.connections.refused", "Connections to HTTP and gRPC ports beyond a bound.", [
    "bound",
  ]);
  readonly #eventsRefused = this.#counter("plinth.events.refused", "Events that were refused because too many waited.", ["origin"]);
  readonly #flowAnswersRefused = this.#counter("plinth.flow.answers_refused", "Answers to steps of flows that were refused.", ["code"]);

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

  /** `code`: late, double or forged. */
  /** `bound`: address, port. */
  connectionRefused(bound: string): void {
    this.#connectionsRefused.inc({ bound });
  }

  /** `origin`: outside, change, automation. */
  eventRefused(origin: string): void {
    this.#eventsRefused.inc({ origin });
  }

  flowAnswerRefused(code: string): void {
    this.#flowAnswersRefused.inc({ code });
  }

  /** `what`: redelivered, rerun, failed, dropped, resumed, fired. */
  flowReaped(what: string): void {
    this.#flowReaped.inc({ what });
  }

  violation(kind: string): void {
    this.#violations.inc({ kind });
  }

  recordsDropped(reason: "sampled" | "full" | "failed", count: number): void {
    this.#dropped.inc({ reason }, count);
  }

  /** A sync run has ended. */
  syncRun(mode: string, result: string): void {
    this.#syncRuns.inc({ mode, result });
  }

  /** `stale`: of a call that is not the one that has to report; `unreadable`: no report at all. */
  syncReportRefused(result: "stale" | "unreadable"): void {
    this.#syncRefusals.inc({ result });
  }

  scheduledRun(kind: "function" | "cron", result: "success" | "failed" | "canceled" | "skipped" | "retried", count = 1): void {
    this.#scheduled.inc({ kind, result }, count);
  }

  scheduleDelay(delayMs: number): void {
    this.#scheduleDelay.observe(Math.max(0, delayMs) / 1000);
  }

  /** Shows the pool whenever the metrics are read. */
  watchPool(read: () => PoolStatus): void {
    this.#gauge("plinth.runners", "Runners.", () => read().runners);
    this.#gauge("plinth.runners.warm", "Runners that wait for a tenant.", () => read().warm);
    this.#gauge("plinth.runners.busy", "Runners with a call.", () => read().busy);
    this.#gauge({ name: "plinth.runners.memory", unit: "By" }, "Memory of all runners.", () => read().memoryBytes);
    this.#gauge("plinth.runners.spawned", "Runners started since the host began.", () => read().spawned);
    this.#gauge("plinth.runners.killed", "Runners killed since the host began.", () => read().killed);
  }

  watchQueue(read: () => QueueStatus): void {
    this.#gauge("plinth.queue.waiting", "Calls that wait for a place.", () => read().waiting);
    this.#gauge("plinth.running.transactions", "Queries and mutations that run.", () => read().runningTransactions);
    this.#gauge("plinth.running.actions", "Actions that run.", () => read().runningActions);
  }

  watchEvents(waiting: () => number): void {
    this.#gauge("plinth.events.waiting", "Events that wait for their automations.", waiting);
  }

  watchCache(read: () => { readonly entries: number; readonly bytes: number }): void {
    this.#gauge("plinth.query_cache.entries", "Results in the query cache.", () => read().entries);
    this.#gauge({ name: "plinth.query_cache.memory", unit: "By" }, "Memory of the query cache.", () => read().bytes);
  }

  watchFlows(read: () => number): void {
    this.#gauge("plinth.flow.runs", "Runs of flows in memory: those that do something.", read);
  }

  metricsText(): Promise<string> {
    return this.#registry.metrics();
  }

  async readings(): Promise<readonly MetricReading[]> {
    const readings: MetricReading[] = [];
    for (const { name, help, values } of await this.#registry.getMetricsAsJSON()) {
      const instrument = this.#instruments.get(name);
      if (instrument === undefined) continue;
      const partOf = (value: object) => ("metricName" in value ? String(value.metricName).slice(name.length) : "");
      readings.push({
        ...instrument,
        help,
        values: values.map((each) => ({ part: partOf(each), value: each.value, labels: each.labels })),
      });
    }
    return readings;
  }

  #counter<const Name extends string>(instrument: Instrument, help: string, labelNames: readonly Name[]): Counter<Name> {
    return new Counter({ name: this.#textName(instrument, "counter"), help, labelNames, registers: [this.#registry] });
  }

  #histogram<const Name extends string>(
    instrument: Instrument,
    help: string,
    labelNames: readonly Name[],
    buckets: number[],
  ): Histogram<Name> {
    return new Histogram({ name: this.#textName(instrument, "histogram"), help, labelNames, buckets, registers: [this.#registry] });
  }

  #gauge(instrument: Instrument, help: string, read: () => number): void {
    new Gauge({
      name: this.#textName(instrument, "gauge"),
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Keeps the instrument under its name in Prometheus' text, which is made as OpenTelemetry's specification does. */
  #textName(instrument: Instrument, type: MetricReading["type"]): string {
    const { name, unit } = typeof instrument === "string" ? { name: instrument, unit: undefined } : instrument;
    const textName = `${name.replaceAll(".", "_")}${unit === undefined ? "" : UNIT_SUFFIXES[unit]}${type === "counter" ? "_total" : ""}`;
    this.#instruments.set(textName, { name, unit: unit ?? "1", type });
    return textName;
  }
}

/**
 * The engine: intake → admission → execute → finalize for every call, whatever started it.
 *
 * E1 Every accepted call is finalized exactly once: outcome, metrics, events, and everything it held is freed.
 * E2 Records: asynchronous calls have one from the moment they are acknowledged, finished in the transaction of
 *    their writes or under their lease. Synchronous calls get theirs afterwards, together (`record-batch.ts`);
 *    a successful query costs no commit of its own.
 * E3 A call that another one causes never waits for a place that its causer holds: queries and mutations run
 *    nested on their caller's lease or, below actions, on transaction places; actions below actions on the lease
 *    of their caller.
 */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { INVOCATIONS } from "../database/record-tables.ts";
import type { Scope } from "../database/database.ts";
import type { Service } from "../service.ts";
import { Admission } from "./admission.ts";
import { AsyncRuns } from "./async-runs.ts";
import { CachedQueries } from "./cached-queries.ts";
import type { CallFrame } from "./call-frame.ts";
import { CallRun } from "./call-run.ts";
import type { EngineCore } from "./engine-core.ts";
import { EventHub, EventQueue, eventsOfRecord } from "./event-hub.ts";
import { Executor, type RunResult } from "./execute.ts";
import { openRecord, outcomeOf, registered } from "./finalize.ts";
import { hostCallOf } from "./host-calls/table.ts";
import { Idempotency } from "./idempotency.ts";
import { intake, type AcceptedCall } from "./intake.ts";
import { isInvocationId } from "./invocation-ids.ts";
import type { Engine, InvocationEvent, InvocationOutcome, InvocationRecord, InvocationRequest, InvokeOptions } from "./invocation.ts";
import { KeyedCalls } from "./keyed-calls.ts";
import { lifecycleHooks } from "./lifecycle-hooks/table.ts";
import { Lifecycle } from "./lifecycle.ts";
import { LargeResults, resultSpace } from "./large-results.ts";
import type { EngineParts } from "./parts.ts";
import { withPooledRandom } from "./pooled-random.ts";
import { RecordBatch } from "./record-batch.ts";
import { ResultBlobs } from "./result-blobs.ts";
import type { ResultSink } from "./result-sink.ts";
import { resultSinks } from "./result-sinks/table.ts";
import { endTrace, inSpan, traceCall } from "./trace-call.ts";
import { Retention } from "./retention.ts";
import type { EndedCall, RunCallOptions } from "./run-call.ts";

/** What the scheduler needs besides `Engine`: calls that take part in its transactions. */
export interface SchedulerEngine {
  run(request: InvocationRequest, options: RunCallOptions): Promise<InvocationOutcome>;
}

export function createEngine(parts: EngineParts): Engine & SchedulerEngine & Service {
  return new PlinthEngine({ ...parts, runtime: withPooledRandom(parts.runtime) });
}

class PlinthEngine implements Engine, SchedulerEngine, Service, EngineCore {
  readonly id = "engine";
  readonly parts: EngineParts;
  readonly hostCallOf = hostCallOf;
  readonly #admission: Admission;
  readonly #executor: Executor;
  readonly #records: RecordBatch;
  readonly #sinks: readonly ResultSink[];
  readonly #lifecycle: Lifecycle;
  readonly #largeResults: LargeResults;
  readonly #resultBlobs: ResultBlobs | undefined;
  readonly #retention: Retention;
  readonly #keyed: KeyedCalls;
  readonly #queries: CachedQueries;
  readonly #async: AsyncRuns;
  readonly #hub = new EventHub();
  readonly #active = new Map<string, CallRun>();
  #stopping: PlinthError | undefined;
  #onIdle: (() => void) | undefined;
  /** Called whenever a call has ended. */
  readonly #endListeners = new Set<() => void>();

  constructor(parts: EngineParts) {
    this.parts = parts;
    const { database, runtime, telemetry, config } = parts;
    const { metrics, log } = telemetry;
    this.#admission = new Admission({
      config,
      runtime,
      metrics,
      tenantMax: (tenant) => parts.budgets?.limits(tenant).concurrency ?? undefined,
    });
    this.#retention = new Retention({
      database,
      runtime,
      log,
      retentionMs: { invocations: config.invocationRetentionMs, idempotency: config.idempotencyRetentionMs },
    });
    this.#records = new RecordBatch({ database, runtime, telemetry, retention: this.#retention });
    this.#sinks = resultSinks(parts, this.#records);
    this.#lifecycle = new Lifecycle(parts, lifecycleHooks(this.#sinks));
    this.#largeResults = new LargeResults(parts.blobs);
    this.#resultBlobs =
      parts.blobs === undefined
        ? undefined
        : new ResultBlobs({ blobs: parts.blobs, runtime, log, retentionMs: config.invocationRetentionMs });
    this.#executor = new Executor(this, this.#admission, this.#lifecycle);
    const idempotency = new Idempotency(parts, this.#retention);
    this.#keyed = new KeyedCalls({ parts, idempotency, runCall: (accepted, options) => this.#runCall(accepted, options) });
    this.#queries = new CachedQueries({
      parts,
      lifecycle: this.#lifecycle,
      runQuery: (accepted, options) => this.#runQuery(accepted, options),
    });
    this.#async = new AsyncRuns({
      parts,
      idempotency,
      retention: this.#retention,
      largeResults: this.#largeResults,
      runCall: (accepted, options) => this.#runCall(accepted, options),
      onEnded: (id, record) => this.#publishRecord(id, record),
    });
    metrics.watchQueue(() => this.#admission.status());
    metrics.watchPool(() => parts.sandbox.status());
    metrics.watchCache(() => this.#queries.status());
  }

  async start(): Promise<void> {
    this.#queries.start();
    this.#retention.start();
    this.#resultBlobs?.start();
    await this.#async.start();
  }

  /** Lets running calls end for `drainMs`, then ends them; refuses new ones from the start. */
  async stop(): Promise<void> {
    this.#stopping ??= plinthError("ShuttingDown", {});
    this.#admission.close(this.#stopping);
    const drained = this.#idle();
    const timer = this.parts.runtime.timer(this.parts.config.drainMs, () => {
      for (const run of this.#active.values()) run.abort(plinthError("ShuttingDown", {}));
    });
    await drained;
    timer.cancel();
    await this.#async.stop();
    await this.#retention.stop();
    await this.#resultBlobs?.stop();
    await Promise.all(this.#sinks.map((sink) => sink.flush()));
    this.#queries.stop();
  }

  async invoke(request: InvocationRequest, { withCommit, ...options }: InvokeOptions = {}): Promise<InvocationOutcome> {
    return await this.run(request, withCommit === undefined ? options : { ...options, hooks: { commit: withCommit } });
  }

  async run(request: InvocationRequest, options: RunCallOptions): Promise<InvocationOutcome> {
    this.#checkRunning();
    const accepted = await intake(this.parts, request);
    if (accepted.kind === "query") return await this.#queries.run(accepted, options);
    if (request.idempotencyKey !== undefined) return await this.#keyed.run(accepted, request.idempotencyKey, options);
    return await this.#runCall(accepted, options);
  }

  async enqueue(request: InvocationRequest): Promise<{ readonly id: string }> {
    this.#checkRunning();
    this.parts.budgets?.checkStored({ tenant: request.tenant, branch: request.branch });
    return await this.#async.enqueue(request);
  }

  async enqueueAll(requests: readonly InvocationRequest[]): Promise<readonly { readonly id: string }[]> {
    this.#checkRunning();
    for (const { tenant, branch } of requests.slice(0, 1)) this.parts.budgets?.checkStored({ tenant, branch });
    return await this.#async.enqueueAll(requests);
  }

  async get(scope: Scope, id: string): Promise<InvocationRecord | undefined> {
    if (!isInvocationId(id)) return undefined;
    const known = this.#inMemory(scope, id);
    if (known !== undefined) return known;
    const stored = await this.parts.database.read(scope, ({ records }) => records.get(INVOCATIONS, [id]));
    if (stored === undefined) return undefined;
    if (stored.state !== "queued") return await this.#largeResults.restore(stored);
    const reason = this.#async.reasonOf(id) ?? stored.waitReason;
    return reason === undefined ? stored : { ...stored, waitReason: reason };
  }

  async artefact(scope: Scope, id: string, name: string) {
    const artefact = (await this.get(scope, id))?.artefacts?.find((each) => each.name === name);
    const body = artefact === undefined ? undefined : await this.parts.blobs?.read(resultSpace(scope.tenant), artefact.digest);
    return artefact === undefined || body === undefined ? undefined : { artefact, body };
  }

  async *watch(scope: Scope, id: string, signal: AbortSignal): AsyncIterable<InvocationEvent> {
    const queue = new EventQueue();
    const unsubscribe = this.#hub.subscribe(id, (event) => queue.push(event));
    const end = (): void => queue.end();
    signal.addEventListener("abort", end, { once: true });
    try {
      const run = this.#active.get(id);
      if (run !== undefined && isIn(run.accepted.scope, scope)) yield* pastEvents(run);
      else {
        const record = await this.get(scope, id);
        if (record === undefined) throw plinthError("NotFound", { what: "invocation with this id" });
        const events = eventsOfRecord(record);
        yield* events;
        if (events.at(-1)?.type === "done") return;
      }
      while (!signal.aborted) {
        const event = await queue.next();
        if (event === undefined) return;
        yield event;
        if (event.type === "done") return;
      }
    } finally {
      signal.removeEventListener("abort", end);
      unsubscribe();
    }
  }

  async cancel(scope: Scope, id: string): Promise<boolean> {
    if (!isInvocationId(id)) return false;
    const run = this.#active.get(id);
    if (run !== undefined && isIn(run.accepted.scope, scope)) {
      run.abort(plinthError("Cancelled", { detail: "on request" }));
      return true;
    }
    return await this.#async.cancelQueued({ scope, id });
  }

  async endBranch(scope: Scope): Promise<void> {
    const runsIn = (): CallRun[] => [...this.#active.values()].filter((run) => isIn(run.accepted.scope, scope));
    for (const run of runsIn()) run.abort(plinthError("Cancelled", { detail: "its branch was deleted" }));
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (runsIn().length > 0) return;
        this.#endListeners.delete(check);
        resolve();
      };
      this.#endListeners.add(check);
      check();
    });
    await this.#records.flush();
  }

  /** E3 */
  async callChild(frame: CallFrame, request: InvocationRequest): Promise<InvocationOutcome> {
    const accepted = await intake(this.parts, request);
    const options = { signal: frame.childSignal() };
    if (accepted.kind === "query") return await this.#queries.run(accepted, options);
    if (accepted.kind === "mutation") return await this.#runCall(accepted, options);
    const { root } = frame.options.run;
    const max = limit("childActionsOpenMax");
    if (root.openChildActions >= max)
      throw plinthError("LimitExceeded", { what: "Actions that run at the same time below one action", actual: max + 1, max });
    root.openChildActions++;
    try {
      return await this.#runCall(accepted, { ...options, lease: frame.options.lease, root });
    } finally {
      root.openChildActions--;
    }
  }

  /** E3 */
  async callBelow(
    request: InvocationRequest,
    options: { readonly signal: AbortSignal; readonly onEvent?: (event: InvocationEvent) => void },
  ): Promise<InvocationOutcome> {
    const accepted = await intake(this.parts, request);
    if (accepted.kind === "query") return await this.#queries.run(accepted, options);
    return await this.#runCall(accepted, { ...options, onPlaceOfCaller: true });
  }

  #runCall(accepted: AcceptedCall, options: RunCallOptions): Promise<InvocationOutcome> {
    return this.#finalized(accepted, options, (run) => this.#withinBudget(run, options));
  }

  async #runQuery(accepted: AcceptedCall, options: RunCallOptions) {
    let ended: { readonly run: CallRun; readonly result: RunResult } | undefined;
    const outcome = await this.#finalized(accepted, options, async (run) => {
      const result = await this.#withinBudget(run, options);
      ended = { run, result };
      return result;
    });
    return { outcome, ended };
  }

  /** Rates, concurrency of the function and the tenant's budget come before any place. */
  async #withinBudget(run: CallRun, options: RunCallOptions): Promise<RunResult> {
    const { budgets } = this.parts;
    if (budgets === undefined) return await this.#executor.execute(run, options);
    const { scope, path } = run.accepted;
    const admitted = await inSpan(this.parts, run, "plinth.budget", () =>
      budgets.admit(scope, { path, priority: run.priority, patient: options.patient === true, signal: run.signal }),
    );
    try {
      run.priority = admitted.priority;
      run.limits = admitted.limits;
      return await this.#executor.execute(run, options);
    } finally {
      admitted.end();
    }
  }

  /** E1 */
  async #finalized(
    accepted: AcceptedCall,
    options: RunCallOptions,
    execute: (run: CallRun) => Promise<RunResult>,
  ): Promise<InvocationOutcome> {
    const run = new CallRun(
      accepted,
      { ...options, prices: this.parts.config.prices, onEvent: (event) => this.#publish(accepted.id, options, event) },
      this.parts.runtime,
    );
    this.#active.set(accepted.id, run);
    options.onRun?.(run);
    traceCall(this.parts, run);
    try {
      const ended = await this.#end(run, execute);
      const { outcome } = ended;
      // Stored calls have records of their own, and may have to run again.
      if (options.settle === undefined || (await options.settle(run, ended)))
        this.#lifecycle.ended(run, outcome, options.settle !== undefined);
      endTrace(run, outcome);
      if (ended.rejected && outcome.status === "failed") throw outcome.error;
      return outcome;
    } finally {
      run.close();
      this.#active.delete(accepted.id);
      if (this.#active.size === 0) this.#onIdle?.();
      for (const listener of this.#endListeners) listener();
    }
  }

  async #end(run: CallRun, execute: (run: CallRun) => Promise<RunResult>): Promise<EndedCall> {
    try {
      // What a running action calls is a part of it.
      if (run.accepted.request.parent === undefined) this.#checkRunning();
      return { outcome: outcomeOf(run, await execute(run)), rejected: false };
    } catch (thrown) {
      const error = registered(this.parts, run, thrown);
      // A call that began has an outcome; what its caller did wrong is the caller's error all the same.
      const isOutcome =
        run.attempts > 0 &&
        (error.spec.fault !== "caller" || error.code === "Cancelled" || error.code === "DeadlineExceeded") &&
        error.code !== "StaleLease";
      return { outcome: outcomeOf(run, { kind: "failed", error }), rejected: !isOutcome };
    }
  }

  #publish(id: string, options: RunCallOptions, event: InvocationEvent): void {
    this.#hub.publish(id, event);
    try {
      options.onEvent?.(event);
    } catch (error) {
      // E1: who watches a call cannot break it.
      this.parts.telemetry.log.error({ error, invocation: id }, "a watcher of an invocation failed");
    }
  }

  #publishRecord(id: string, record: InvocationRecord): void {
    for (const event of eventsOfRecord(record)) this.#hub.publish(id, event);
  }

  #inMemory(scope: Scope, id: string): InvocationRecord | undefined {
    const run = this.#active.get(id);
    if (run !== undefined) return isIn(run.accepted.scope, scope) ? openRecord(run) : undefined;
    const record = this.#records.get(id);
    return record !== undefined && isIn(record, scope) ? record : undefined;
  }

  #checkRunning(): void {
    if (this.#stopping !== undefined) throw this.#stopping;
  }

  #idle(): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

function isIn(scope: Scope, other: Scope): boolean {
  return scope.tenant === other.tenant && scope.branch === other.branch;
}

function pastEvents(run: CallRun): InvocationEvent[] {
  return [
    { type: "state", state: run.state, ...(run.waitReason === undefined ? {} : { reason: run.waitReason }) },
    ...run.logs.map((line) => ({ type: "log", line }) as const),
    ...run.partials.map((valueText) => ({ type: "partial", valueText }) as const),
  ];
}

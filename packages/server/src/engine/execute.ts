/**
 * Third stage: runs a call on a runner and commits what it wrote.
 *
 * X1 A mutation's writes, its result in `hooks.commit` and nothing else commit together; a run that fails or
 *    conflicts leaves nothing.
 * X2 A query or mutation whose runner is lost, or that conflicts, is run again on a new snapshot, up to the
 *    limits. An action is started once.
 * X3 Nothing runs for a tenant that is not served any more, also what was accepted before.
 * X4 Whatever happens, the lease is released and the transaction is over when this returns or throws.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { retryDelayMs, shouldRetry } from "@plinth/core/policy/retry.ts";
import type { Transaction } from "../database/database.ts";
import type { KeyRange, Timestamp } from "../store/store.ts";
import type { CallOutcome, RunnerLease } from "../sandbox/sandbox.ts";
import { expired, type Admission } from "./admission.ts";
import { CallFrame } from "./call-frame.ts";
import type { CallRun } from "./call-run.ts";
import { checkArgs, checkReturns } from "./check-values.ts";
import type { EngineCore } from "./engine-core.ts";
import { failureOf, type FunctionFailure } from "./outcome-errors.ts";
import { inlineInRunner } from "./inline-code.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { runFrame } from "./run-frame.ts";
import { runNative } from "./run-native.ts";
import { stepEnvironment } from "./step-of-run.ts";
import { inSpan } from "./trace-call.ts";

/** What takes part in a mutation's transaction besides the function. */
export interface TransactionHooks {
  /** Before the function. A result ends the call without running it; a throw rejects it. */
  readonly begin?: (transaction: Transaction) => Promise<RunResult | undefined>;
  /** After the function succeeded, before the commit. */
  readonly commit?: (transaction: Transaction, valueText: string) => Promise<void>;
}

export interface ExecuteOptions {
  readonly hooks?: TransactionHooks;
  /** The lease of the calling action: its child actions run on it. */
  readonly lease?: RunnerLease;
  /** Waits for a place as long as it takes: stored and scheduled calls. */
  readonly patient?: boolean;
  /** The caller waits for it on a place of its own, which it uses (E3). */
  readonly onPlaceOfCaller?: boolean;
}

export type RunResult =
  | { readonly kind: "succeeded"; readonly valueText: string; readonly ts: Timestamp; readonly reads?: readonly KeyRange[] }
  | ({ readonly kind: "failed" } & FunctionFailure)
  /** An earlier call with the same idempotency key has this outcome. */
  | { readonly kind: "replayed"; readonly outcome: InvocationOutcome };

type AttemptResult = RunResult | { readonly kind: "conflict" } | { readonly kind: "lost"; readonly error: PlinthError };

export class Executor {
  readonly #core: EngineCore;
  readonly #admission: Admission;
  readonly #lifecycle: Lifecycle;

  constructor(core: EngineCore, admission: Admission, lifecycle: Lifecycle) {
    this.#core = core;
    this.#admission = admission;
    this.#lifecycle = lifecycle;
  }

  /** Rejects when the call was not run at all. */
  async execute(run: CallRun, options: ExecuteOptions = {}): Promise<RunResult> {
    const { kind } = run.accepted;
    return kind === "query" || kind === "mutation" ? await this.#executeTransaction(run, options) : await this.#executeAction(run, options);
  }

  /** X2 */
  async #executeTransaction(run: CallRun, options: ExecuteOptions): Promise<RunResult> {
    for (let lost = 0; ;) {
      const result = await this.#withPlace(run, options, () => this.#attempt(run, options));
      switch (result.kind) {
        case "succeeded":
        case "failed":
        case "replayed":
          return result;
        case "conflict": {
          run.conflicts++;
          const state = { kind: "conflict", attempt: run.conflicts } as const;
          if (!shouldRetry(state)) {
            return {
              kind: "failed",
              error: plinthError("OptimisticConcurrencyControlFailure", { path: run.accepted.path, attempts: run.conflicts }),
            };
          }
          await this.#pause(run, retryDelayMs({ ...state, jitter: this.#core.parts.runtime.random() }));
          break;
        }
        case "lost":
          lost++;
          if (lost >= limit("platformAttemptsMax")) return { kind: "failed", error: result.error };
          run.throwIfAborted();
      }
    }
  }

  async #pause(run: CallRun, delayMs: number): Promise<void> {
    run.changeState("queued", "conflictBackoff");
    const { runtime, telemetry } = this.#core.parts;
    await runtime.sleep(delayMs, run.signal);
    telemetry.metrics.waited("conflictBackoff", delayMs);
  }

  async #attempt(run: CallRun, options: ExecuteOptions): Promise<AttemptResult> {
    if (run.accepted.native !== undefined) return await this.#attemptNative(run, options);
    const lease = await this.#acquire(run, "transaction");
    const held = new Held(lease);
    try {
      const transaction = held.keep(await this.#begin(run));
      run.beginAttempt();
      if (lease.coldStart) run.coldStart = true;
      const early = await options.hooks?.begin?.(transaction);
      if (early !== undefined) return early;
      const { outcome, tables } = await inSpan(this.#core.parts, run, "plinth.execute", () => this.#runTop(run, { lease, transaction }));
      held.releaseLease();
      countDatabaseUse(run, transaction);
      const failure = this.#failure(run, outcome);
      if (failure?.error.code === "RunnerLost" && run.abortReason === undefined) return { kind: "lost", error: failure.error };
      if (failure !== undefined || outcome.kind !== "ok")
        return { kind: "failed", ...(failure ?? { error: plinthError("RunnerLost", { detail: "no outcome" }) }) };
      checkReturns(run.accepted.fn, outcome.valueText, { tables, checks: run.checks });
      if (run.accepted.kind === "query")
        return { kind: "succeeded", valueText: outcome.valueText, ts: transaction.ts, reads: transaction.readRanges() };
      return await this.#commit(run, { transaction, valueText: outcome.valueText, hooks: options.hooks });
    } catch (error) {
      if (error instanceof PlinthError && error.code === "ReturnsValidation") return { kind: "failed", error };
      throw error;
    } finally {
      held.release();
    }
  }

  async #attemptNative(run: CallRun, options: ExecuteOptions): Promise<AttemptResult> {
    await this.#checkServed(run);
    const transaction = await this.#begin(run);
    try {
      run.beginAttempt();
      const early = await options.hooks?.begin?.(transaction);
      if (early !== undefined) return early;
      const result = await inSpan(this.#core.parts, run, "plinth.execute", () => runNative(this.#core, run, transaction));
      countDatabaseUse(run, transaction);
      if (result.kind === "failed") return result;
      if (run.accepted.kind === "query")
        return { kind: "succeeded", valueText: result.valueText, ts: transaction.ts, reads: transaction.readRanges() };
      return await this.#commit(run, { transaction, valueText: result.valueText, hooks: options.hooks });
    } finally {
      transaction.release();
    }
  }

  #begin(run: CallRun): Promise<Transaction> {
    const { accepted } = run;
    const { at, actor } = accepted.request;
    return this.#core.parts.database.begin(accepted.scope, {
      readonly: accepted.kind === "query",
      nowMs: this.#core.parts.runtime.nowMs(),
      ...(at === undefined || accepted.kind !== "query" ? {} : { at }),
      ...(actor.causeDepth === undefined ? {} : { causeDepth: actor.causeDepth }),
    });
  }

  /** X1 */
  async #commit(
    run: CallRun,
    done: { readonly transaction: Transaction; readonly valueText: string; readonly hooks: TransactionHooks | undefined },
  ): Promise<AttemptResult> {
    const { transaction, valueText, hooks } = done;
    run.throwIfAborted();
    try {
      await hooks?.commit?.(transaction, valueText);
    } catch (error) {
      // What takes part saw that its snapshot is too old before the store did.
      if (error instanceof PlinthError && error.code === "OptimisticConcurrencyControlFailure") return { kind: "conflict" };
      throw error;
    }
    const committed = await inSpan(this.#core.parts, run, "plinth.commit", () => transaction.commit());
    return committed.kind === "conflict" ? { kind: "conflict" } : { kind: "succeeded", valueText, ts: committed.ts };
  }

  async #executeAction(run: CallRun, options: ExecuteOptions): Promise<RunResult> {
    if (run.accepted.native !== undefined)
      return options.lease === undefined
        ? await this.#withPlace(run, options, () => this.#runNativeAction(run))
        : await this.#runNativeAction(run);
    if (options.lease !== undefined && !this.#lifecycle.prepares(run.accepted.kind)) return await this.#runAction(run, options.lease);
    const maxRetries = run.accepted.fn?.handler?.maxRetries ?? 0;
    for (let retries = 0; ; retries++) {
      const result = await this.#withPlace(run, options, () => this.#lifecycle.around(run, () => this.#runActionOnLease(run)));
      if (result.kind !== "failed" || result.retry === undefined || retries >= maxRetries) return result;
      await this.#pauseBeforeRetry(run, retries);
    }
  }

  async #runNativeAction(run: CallRun): Promise<RunResult> {
    await this.#checkServed(run);
    run.throwIfAborted();
    run.beginAttempt();
    const result = await inSpan(this.#core.parts, run, "plinth.execute", () => runNative(this.#core, run));
    return result.kind === "failed" ? result : { kind: "succeeded", valueText: result.valueText, ts: this.#core.parts.database.latest() };
  }

  async #runActionOnLease(run: CallRun): Promise<RunResult> {
    const lease = await this.#acquire(run, "action");
    try {
      if (lease.coldStart) run.coldStart = true;
      return await this.#runAction(run, lease);
    } finally {
      lease.release();
    }
  }

  /** A handler asked to be run again: its event is made anew, with fresh tokens. */
  async #pauseBeforeRetry(run: CallRun, retries: number): Promise<void> {
    const { runtime, telemetry } = this.#core.parts;
    const delayMs = Math.max(
      run.accepted.fn?.handler?.minIntervalMs ?? 0,
      retryDelayMs({ kind: "platform", attempt: retries + 1, jitter: runtime.random() }),
    );
    run.changeState("queued", "retryBackoff");
    await runtime.sleep(delayMs, run.signal);
    telemetry.metrics.waited("retryBackoff", delayMs);
  }

  async #runAction(run: CallRun, lease: RunnerLease): Promise<RunResult> {
    run.throwIfAborted();
    run.beginAttempt();
    const { outcome, tables } = await inSpan(this.#core.parts, run, "plinth.execute", () => this.#runTop(run, { lease }));
    const failure = this.#failure(run, outcome);
    if (failure !== undefined || outcome.kind !== "ok")
      return { kind: "failed", ...(failure ?? { error: plinthError("RunnerLost", { detail: "no outcome" }) }) };
    try {
      checkReturns(run.accepted.fn, outcome.valueText, { tables, checks: run.checks });
    } catch (error) {
      if (error instanceof PlinthError) return { kind: "failed", error };
      throw error;
    }
    const valueText = run.takeResult?.(outcome.valueText) ?? outcome.valueText;
    return { kind: "succeeded", valueText, ts: this.#core.parts.database.latest() };
  }

  /** Runs the function itself, after the check of its arguments against the tables of this moment. */
  async #runTop(run: CallRun, place: { readonly lease: RunnerLease; readonly transaction?: Transaction }) {
    const { parts } = this.#core;
    const { accepted } = run;
    const tables = await (place.transaction === undefined
      ? parts.database.readKept(accepted.scope, "tables", (transaction) => transaction.tables())
      : place.transaction.tables());
    if (accepted.fn !== undefined && accepted.args !== undefined) checkArgs(accepted.fn, accepted.args, { tables, checks: run.checks });
    const isTransaction = place.transaction !== undefined;
    const frame = new CallFrame({
      core: this.#core,
      run,
      kind: accepted.kind,
      path: pathInRunner(accepted),
      version: accepted.version,
      tables,
      env: withStep(accepted, run.prepared.environment ?? (await parts.deploys.environment(accepted.scope))),
      nowMs: parts.runtime.nowMs(),
      endsAtMs:
        parts.runtime.monotonicMs() +
        Math.min(
          isTransaction ? limit("systemWallMsMax") : (run.prepared.wallMs ?? parts.config.actionWallMs),
          run.limits?.wallMs ?? Number.POSITIVE_INFINITY,
        ),
      depth: 0,
      signal: run.signal,
      ...place,
    });
    return { outcome: await runFrame(frame, this.#lifecycle.prepares(accepted.kind) ? run.prepared.argsText : accepted.argsText), tables };
  }

  /** What went wrong, if anything: failures that cannot be caught count before what the function made of them. */
  #failure(run: CallRun, outcome: CallOutcome): FunctionFailure | undefined {
    if (run.fatalFailure !== undefined) return { error: run.fatalFailure };
    if (outcome.kind === "ok") return undefined;
    if (run.platformFailure !== undefined) throw run.platformFailure;
    return failureOf(outcome, run.abortReason, run.redact);
  }

  /** Second stage, for each attempt anew: a pause between attempts holds no place. */
  async #withPlace<T>(run: CallRun, options: ExecuteOptions, body: () => Promise<T>): Promise<T> {
    const { accepted } = run;
    if (options.onPlaceOfCaller === true && accepted.lane === "action") return await body();
    const place = await inSpan(this.#core.parts, run, "plinth.admit", () =>
      this.#admission.enter({
        tenant: accepted.scope.tenant,
        lane: accepted.lane,
        priority: run.priority,
        ...(options.patient === true ? {} : { waitMsMax: limit(accepted.lane === "action" ? "actionQueueWaitMsMax" : "queueWaitMsMax") }),
        signal: run.signal,
        ofRunningCall: accepted.request.parent !== undefined,
        onWait: (reason) => run.changeState("queued", reason),
      }),
    );
    try {
      return await body();
    } finally {
      place.leave();
    }
  }

  /** Waits for a runner; not longer than for a place. */
  async #acquire(run: CallRun, lane: "transaction" | "action"): Promise<RunnerLease> {
    const { sandbox, runtime, telemetry } = this.#core.parts;
    const { tenant, branch } = run.accepted.scope;
    await this.#checkServed(run);
    const waitMsMax = limit(lane === "action" ? "actionQueueWaitMsMax" : "queueWaitMsMax");
    run.throwIfAborted();
    const sinceMs = runtime.monotonicMs();
    const timer = runtime.timer(waitMsMax, () => run.abort(expired(waitMsMax, "noRunner")));
    // Most calls get a runner at once: the reason is noted, but nobody is told of it.
    run.waitReason = "noRunner";
    try {
      const lease = await inSpan(this.#core.parts, run, "plinth.acquire", () =>
        sandbox.acquire({ tenant, branch, lane, version: run.accepted.version, ...sharing(run.accepted) }, run.signal),
      );
      const waitedMs = runtime.monotonicMs() - sinceMs;
      if (waitedMs >= 1) telemetry.metrics.waited("noRunner", waitedMs);
      return lease;
    } finally {
      timer.cancel();
    }
  }

  /** X3 */
  async #checkServed(run: CallRun): Promise<void> {
    const { isServed } = this.#core.parts;
    const { scope } = run.accepted;
    if (isServed !== undefined && !(await isServed(scope)))
      throw plinthError("NotFound", { what: `tenant '${scope.tenant}' with branch '${scope.branch}'` });
  }
}

/** X4: what an attempt holds, given back once. */
class Held {
  readonly #lease: RunnerLease;
  #leaseReleased = false;
  #transaction: Transaction | undefined;

  constructor(lease: RunnerLease) {
    this.#lease = lease;
  }

  keep(transaction: Transaction): Transaction {
    this.#transaction = transaction;
    return transaction;
  }

  releaseLease(): void {
    if (this.#leaseReleased) return;
    this.#leaseReleased = true;
    this.#lease.release();
  }

  release(): void {
    this.releaseLease();
    this.#transaction?.release();
  }
}

/** Results of queries are shared between calls, so they depend on no step. */
function withStep(
  { kind, request: { step } }: CallRun["accepted"],
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return step === undefined || kind === "query" ? env : { ...env, ...stepEnvironment(step) };
}

/** Mutations of steps share contexts with those of the same run. */
function sharing({ kind, request: { step } }: CallRun["accepted"]): { readonly contextKey?: string } {
  return step === undefined || kind !== "mutation" ? {} : { contextKey: step.run };
}

/** The name under which the runner knows the function. */
function pathInRunner({ kind, fn, path, version }: CallRun["accepted"]): string {
  if (kind === "httpAction") return "";
  if (kind === "inline") return inlineInRunner(version).path;
  return fn?.handler?.name ?? path;
}

function countDatabaseUse(run: CallRun, transaction: Transaction): void {
  const metrics = transaction.metrics();
  run.database = {
    databaseReadBytes: metrics.bytesRead,
    databaseWriteBytes: metrics.bytesWritten,
    documentsRead: metrics.documentsRead,
    documentsWritten: metrics.documentsWritten,
  };
}

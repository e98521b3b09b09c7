/**
 * One top-level call from intake to finalize: what its attempts and nested calls share. It owns the abort
 * signal of the call and its budgets; nested calls cannot get more by splitting work (the budgets are one).
 */
import { validationBudget } from "@plinth/core/documents/validators.ts";
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { cutText, escapeText } from "@plinth/core/policy/escape-text.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallHandler, CallUsage } from "../sandbox/sandbox.ts";
import { costNanosOf, type Prices } from "@plinth/core/policy/cost.ts";
import type { Admitted } from "../budgets/budgets.ts";
import type { Span, TraceContext } from "../telemetry/trace.ts";
import { redactStep } from "./step-of-run.ts";
import { traceOf } from "./trace-of-call.ts";
import type { CallBodies } from "./call-bodies.ts";
import type { CallValues } from "./call-values.ts";
import type { AcceptedCall } from "./intake.ts";
import type { Artefact } from "./result-sink.ts";
import type { InvocationEvent, InvocationState, InvocationUsage, LogLine, Priority, WaitReason } from "./invocation.ts";

/** Of handlers and inline code; other calls run with what intake accepted. */
export interface Prepared {
  argsText: string;
  environment: Readonly<Record<string, string>> | undefined;
  wallMs: number | undefined;
  memoryBytes: number | undefined;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  readonly root?: CallRun;
  readonly prices: Prices;
  readonly bodies?: CallBodies;
  readonly values?: CallValues;
}

type RunnerLine = Parameters<CallHandler["log"]>[0];

export class CallRun {
  readonly accepted: AcceptedCall;
  readonly #runtime: Runtime;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(event: InvocationEvent) => void>();
  readonly #cleanUps: (() => void)[] = [];

  state: InvocationState = "queued";
  waitReason: WaitReason | undefined;
  /** On the clock that never jumps. */
  startedMonotonicMs: number | undefined;
  startedMs: number | undefined;
  attempts = 0;
  conflicts = 0;
  coldStart = false;
  /** The action at the top of the actions that share a lease; this call itself when it has its own. */
  readonly root: CallRun;
  /** Of a root: actions that run below it, wherever they stand. */
  openChildActions = 0;

  /** As asked for, or lower where the tenant's budget says so. */
  priority: Priority;
  /** Tighter limits of this function. */
  limits: Admitted["limits"];
  /** Of native code. */
  readonly bodies: CallBodies | undefined;
  /** Of actions and handlers that steps of flows call. */
  readonly values: CallValues | undefined;
  readonly #prices: Prices;
  /** Of the span of this call; what it causes stands below it. */
  trace: TraceContext;
  /** Spans of its stages hang here; absent when nothing is traced. */
  span: Span | undefined;

  /** Of the lease of a stored call. */
  fencingToken = 0;
  /** Set for runs of the scheduler; functions can read it. */
  scheduledFunctionId: string | undefined;

  /** What the hooks before the latest attempt made (`lifecycle.ts`). */
  readonly prepared: Prepared = { argsText: "", environment: undefined, wallMs: undefined, memoryBytes: undefined };
  /** Takes delivered secrets out of what leaves for logs, errors and records. */
  redact: ((text: string) => string) | undefined = undefined;
  /** Takes a result that holds secrets, and returns what is kept in its place. */
  takeResult: ((valueText: string) => string) | undefined;
  /** Files that the function left. */
  artefacts: Artefact[] = [];
  /** Of a root: bytes of all files that were saved, in all attempts and by all actions below it. */
  artefactBytes = 0;

  // Of the latest attempt.
  /** A failure that user code cannot catch, wherever on the stack it happened. */
  fatalFailure: PlinthError | undefined;
  /** A failure of the database below a function. */
  platformFailure: Error | undefined;
  logs: LogLine[] = [];
  logsDropped = 0;
  partials: string[] = [];
  identityRead = false;
  timeRead = false;
  hostCalls = 0;
  /** Of arguments and results, those of nested calls included. */
  checks = validationBudget();
  #checksAtRest = 0;
  /** Of all attempts. */
  userMs = 0;
  /** Of ended functions of this attempt; nested ones share the limit of the call. */
  attemptUserMs = 0;
  memoryBytes = 0;
  /** Of all attempts. */
  egressBytes = 0;
  database = { databaseReadBytes: 0, databaseWriteBytes: 0, documentsRead: 0, documentsWritten: 0 };

  constructor(accepted: AcceptedCall, options: RunOptions, runtime: Runtime) {
    this.accepted = accepted;
    const { step } = accepted.request;
    if (step !== undefined) this.redact = redactStep(step, undefined);
    this.#runtime = runtime;
    this.root = options.root ?? this;
    this.priority = accepted.request.priority;
    this.#prices = options.prices;
    this.bodies = options.bodies;
    this.values = options.values;
    this.trace = traceOf(accepted);
    if (options.onEvent !== undefined) this.#listeners.add(options.onEvent);
    if (options.signal !== undefined) this.#follow(options.signal);
    if (accepted.deadlineAtMs !== undefined) this.#limitTime(accepted.deadlineAtMs, accepted.request.deadlineMs ?? 0);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the host ends the call, once it does. */
  get abortReason(): PlinthError | undefined {
    const reason: unknown = this.#controller.signal.reason;
    return reason instanceof PlinthError ? reason : undefined;
  }

  abort(reason: PlinthError): void {
    this.#controller.abort(reason);
  }

  throwIfAborted(): void {
    if (this.abortReason !== undefined) throw this.abortReason;
  }

  /** Forgets what the last attempt observed; a re-run starts like the first one. */
  beginAttempt(): void {
    this.attempts++;
    this.logs = [];
    this.logsDropped = 0;
    this.partials = [];
    this.artefacts = [];
    this.values?.beginAttempt();
    this.identityRead = false;
    this.timeRead = false;
    this.hostCalls = 0;
    this.checks = validationBudget();
    this.#checksAtRest = 0;
    this.fatalFailure = undefined;
    this.platformFailure = undefined;
    this.attemptUserMs = 0;
    this.startedMonotonicMs ??= this.#runtime.monotonicMs();
    this.startedMs ??= this.#runtime.nowMs();
    this.changeState("running");
  }

  changeState(state: InvocationState, reason?: WaitReason): void {
    if (this.state === state && this.waitReason === reason) return;
    this.state = state;
    this.waitReason = reason;
    this.emit(reason === undefined ? { type: "state", state } : { type: "state", state, reason });
  }

  log(line: RunnerLine): void {
    this.logsDropped += line.dropped;
    if (this.logs.length >= limit("logLinesMax")) {
      this.logsDropped++;
      return;
    }
    const text = escapeText(cutText(this.redact?.(line.text) ?? line.text, limit("logLineBytesMax")));
    const logged: LogLine = { level: line.level, text: line.truncated ? `${text}…` : text, atMs: this.#runtime.nowMs() };
    this.logs.push(logged);
    this.emit({ type: "log", line: logged });
  }

  partial(valueText: string): void {
    if (this.partials.length >= limit("partialResultsMax")) {
      throw plinthError("LimitExceeded", { what: "Partial results", actual: this.partials.length + 1, max: limit("partialResultsMax") });
    }
    this.partials.push(valueText);
    this.emit({ type: "partial", valueText });
  }

  /** Counts a host call against the limit that all nested calls share. */
  countHostCall(): void {
    this.hostCalls++;
    const max = limit("hostCallsPerInvocationMax");
    if (this.hostCalls > max) throw plinthError("LimitExceeded", { what: "Host calls", actual: this.hostCalls, max });
  }

  /** Lets others have the event loop when the checks of nested calls have had it for some time. */
  async restAfterChecks(): Promise<void> {
    if (this.checks.used - this.#checksAtRest < limit("validationSliceSteps")) return;
    this.#checksAtRest = this.checks.used;
    await this.#runtime.sleep(0);
  }

  /** Work of the host that counts as JavaScript time of the call. */
  countHostWork(ms: number): void {
    this.userMs += ms;
    this.attemptUserMs += ms;
  }

  countUsage(usage: CallUsage): void {
    this.userMs += usage.userMs;
    this.attemptUserMs += usage.userMs;
    this.memoryBytes = Math.max(this.memoryBytes, usage.memoryBytes);
  }

  subscribe(listener: (event: InvocationEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: InvocationEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  usage(): InvocationUsage {
    const nowMs = this.#runtime.monotonicMs();
    const startedMs = this.startedMonotonicMs ?? nowMs;
    const executionMs = nowMs - startedMs;
    const { userMs, memoryBytes, egressBytes } = this;
    return {
      queueMs: startedMs - this.accepted.acceptedAtMs,
      executionMs,
      userMs: this.userMs,
      memoryBytes: this.memoryBytes,
      attempts: this.attempts,
      conflicts: this.conflicts,
      coldStart: this.coldStart,
      cached: false,
      egressBytes: this.egressBytes,
      costNanos: costNanosOf({ executionMs, userMs, memoryBytes, egressBytes }, this.#prices),
      ...this.database,
    };
  }

  /** Frees timers and listeners. Always called, exactly once, at the end. */
  close(): void {
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#cleanUps.length = 0;
    this.#listeners.clear();
  }

  #follow(signal: AbortSignal): void {
    const abort = (): void =>
      this.abort(signal.reason instanceof PlinthError ? signal.reason : plinthError("Cancelled", { detail: "its caller is gone" }));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#cleanUps.push(() => signal.removeEventListener("abort", abort));
  }

  #limitTime(deadlineAtMs: number, deadlineMs: number): void {
    const timer = this.#runtime.timer(deadlineAtMs - this.#runtime.monotonicMs(), () =>
      this.abort(plinthError("DeadlineExceeded", { maxMs: deadlineMs })),
    );
    this.#cleanUps.push(() => timer.cancel());
  }
}

/**
 * One call that a runner works on, as the host sees it: its clocks, its host calls and its one outcome.
 * The host alone decides when a call is over; what the runner says is only what it says.
 */
import { limit } from "@plinth/core/limits.ts";
import { must } from "@plinth/core/assert.ts";
import type { InvokeEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallHandler, CallOutcome, CallRequest, CallUsage } from "./sandbox.ts";

/** A call of the engine, or the analysis that the pool itself asks for. */
export type AnyCallRequest = Omit<CallRequest, "kind"> & { readonly kind: InvokeEnvelope["kind"] };

/** An outcome before its usage is known. */
export type CallEnd = CallOutcome extends infer Outcome ? (Outcome extends CallOutcome ? Omit<Outcome, "usage"> : never) : never;

/** A runner sends a final line with the count of dropped ones; a little more is not worth a kill. */
const LOG_LINES_SLACK = 16;

export class OpenCall {
  readonly number: number;
  readonly request: AnyCallRequest;
  readonly handler: CallHandler;
  readonly outcome: Promise<CallOutcome>;
  /** Why a polite end was asked for. */
  cancelling: "timeout" | "cancelled" | undefined;
  /** The processor time that the runner's process had used when the call began. */
  readonly startCpuMs: number | undefined;
  timer: { cancel(): void } | undefined;
  readonly #runtime: Runtime;
  readonly #settle: (outcome: CallOutcome) => void;
  readonly #startMs: number;
  readonly #pendingHostCalls = new Set<number>();
  #hostCalls = 0;
  #logLines = 0;
  /** User time up to the last change between running and waiting. */
  #userMs = 0;
  #sinceMs: number;
  #done = false;

  constructor(options: {
    readonly runtime: Runtime;
    readonly number: number;
    readonly request: AnyCallRequest;
    readonly handler: CallHandler;
    readonly startCpuMs: number | undefined;
  }) {
    this.#runtime = options.runtime;
    this.number = options.number;
    this.request = options.request;
    this.handler = options.handler;
    this.startCpuMs = options.startCpuMs;
    this.#startMs = this.#sinceMs = this.#runtime.monotonicMs();
    let settle: ((outcome: CallOutcome) => void) | undefined;
    this.outcome = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = must(settle, "a promise runs its executor at once");
  }

  get isDone(): boolean {
    return this.#done;
  }

  wallMs(): number {
    return this.#runtime.monotonicMs() - this.#startMs;
  }

  /** Time in which the code ran, or could have: waits for the host are not counted. */
  userMs(): number {
    return this.#pendingHostCalls.size > 0 ? this.#userMs : this.#userMs + (this.#runtime.monotonicMs() - this.#sinceMs);
  }

  get isWaitingForHost(): boolean {
    return this.#pendingHostCalls.size > 0;
  }

  /** False when the id is taken or more wait than may: an honest runner does neither. */
  beginHostCall(id: number): boolean {
    if (this.#pendingHostCalls.has(id) || this.#pendingHostCalls.size >= this.request.limits.pendingHostCalls) return false;
    if (this.#pendingHostCalls.size === 0) this.#userMs = this.userMs();
    this.#pendingHostCalls.add(id);
    this.#hostCalls++;
    return true;
  }

  endHostCall(id: number): void {
    if (!this.#pendingHostCalls.delete(id)) return;
    if (this.#pendingHostCalls.size === 0) this.#sinceMs = this.#runtime.monotonicMs();
  }

  get hostCalls(): number {
    return this.#hostCalls;
  }

  /** Whether a console line is passed on, dropped, or one too many for an honest runner. */
  countLogLine(): "pass" | "drop" | "violation" {
    this.#logLines++;
    const max = this.request.limits.logLines;
    if (this.#logLines <= max + 1) return "pass";
    return this.#logLines <= max + LOG_LINES_SLACK ? "drop" : "violation";
  }

  /** Which of its two limits the call went over. */
  exceededMs(): number {
    const { wallMs, cpuMs } = this.request.limits;
    // The runner counts processor time, which runs a little behind the clock here.
    return this.wallMs() >= wallMs || this.userMs() < cpuMs * CPU_TICKS_SLACK ? wallMs : cpuMs;
  }

  /** Whether the runner's processor time shows that the call may have run for as long as the clock says. */
  hasUsedCpu(cpuNowMs: number | undefined): boolean {
    if (cpuNowMs === undefined || this.startCpuMs === undefined) return true;
    // A call that merely waits uses no processor time; it is bounded by a multiple of its limit.
    return (
      cpuNowMs - this.startCpuMs >= this.request.limits.cpuMs * CPU_TICKS_SLACK ||
      this.userMs() >= this.request.limits.cpuMs * STARVED_FACTOR
    );
  }

  finish(end: CallEnd, memoryBytes: number): void {
    if (this.#done) return;
    this.#done = true;
    this.timer?.cancel();
    const wallMs = this.wallMs();
    const usage: CallUsage = { wallMs, userMs: Math.min(this.userMs(), wallMs), memoryBytes, hostCalls: this.#hostCalls };
    this.#settle({ ...end, usage });
  }

  /** Whether the call has had all the host calls that it may have. */
  get isOverHostCalls(): boolean {
    return this.#hostCalls > limit("hostCallsPerInvocationMax");
  }
}

/** On a busy machine a call gets a fraction of a processor; then it may take this much longer, so that the load of others is not its fault. */
const STARVED_FACTOR = 1.4;
/** Processor time is counted in coarse ticks, and the first one is read up to a fifth of a second early. */
const CPU_TICKS_SLACK = 0.9;

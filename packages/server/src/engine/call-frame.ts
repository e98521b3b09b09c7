/**
 * One function on the stack of a call: the top-level one or a nested one. Its host calls are checked here.
 *
 * F1 A host call is made only by a kind of function that may make it, and only while the function runs.
 * F2 Host calls of a transaction happen one at a time, in order; a nested function is one of them.
 * F3 `end` resolves when nothing that the function started runs any more: it may leave promises behind.
 * F4 What a transaction makes the host read counts as its JavaScript time, so that large arguments are no way
 *    to have more of the host than of a runner.
 */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { Transaction } from "../database/database.ts";
import type { CallHandler, RunnerLease, VersionCode } from "../sandbox/sandbox.ts";
import type { CallRun } from "./call-run.ts";
import type { TableNumbers } from "./check-values.ts";
import type { EngineCore } from "./engine-core.ts";
import { SerialQueue } from "./serial-queue.ts";

export interface FrameOptions {
  readonly core: EngineCore;
  readonly run: CallRun;
  readonly lease: RunnerLease;
  readonly kind: FunctionKind;
  readonly path: string;
  readonly version: VersionCode;
  readonly tables: TableNumbers;
  readonly env: Readonly<Record<string, string>>;
  /** Frozen time of a transaction, start of an action. */
  readonly nowMs: number;
  /** When the whole call has to be over, on the clock that never jumps. */
  readonly endsAtMs: number;
  /** Absent in actions. */
  readonly transaction?: Transaction;
  /** Nested calls above this one. */
  readonly depth: number;
  /** Ends the function early. */
  readonly signal: AbortSignal;
}

/** Database calls that a query may make; a nested query shares its caller's writable transaction. */
const READS: ReadonlySet<string> = new Set(["1.0/get", "1.0/count", "1.0/queryPage", "plinth/queryNext", "plinth/queryClose"]);
const DATABASE_CALLS: ReadonlySet<string> = new Set([...READS, "1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove"]);

export class CallFrame implements CallHandler {
  readonly options: FrameOptions;
  readonly #serial = new SerialQueue();
  #open = true;
  #pending = 0;
  #onIdle: (() => void) | undefined;
  #children: AbortController | undefined;

  constructor(options: FrameOptions) {
    this.options = options;
  }

  /** A frame for a function that this one calls. */
  nested(changes: Pick<FrameOptions, "kind" | "path" | "version" | "transaction">): CallFrame {
    return new CallFrame({ ...this.options, ...changes, depth: this.options.depth + 1, signal: this.childSignal() });
  }

  /** Aborts what the function started when the function ends, however it ends. */
  childSignal(): AbortSignal {
    if (this.#children === undefined) {
      this.#children = new AbortController();
      if (!this.#open || this.options.signal.aborted) this.#children.abort(this.#endReason());
      else this.options.signal.addEventListener("abort", this.#abortChildren, { once: true });
    }
    return this.#children.signal;
  }

  /** F3. Host calls that still wait or arrive have no effect. */
  async end(): Promise<void> {
    this.#open = false;
    this.options.signal.removeEventListener("abort", this.#abortChildren);
    if (this.#pending === 0) return;
    this.#abortChildren();
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  log(line: Parameters<CallHandler["log"]>[0]): void {
    if (this.#open) this.options.run.log(line);
  }

  async call(op: string, argText: string): Promise<string> {
    this.#checkOpen();
    this.#pending++;
    try {
      this.options.run.countHostCall();
      return await this.#perform(op, argText);
    } finally {
      this.#pending--;
      if (this.#pending === 0) this.#onIdle?.();
    }
  }

  readonly #abortChildren = (): void => this.#children?.abort(this.#endReason());

  #endReason(): unknown {
    return this.options.signal.aborted ? this.options.signal.reason : plinthError("Cancelled", { detail: "its caller has ended" });
  }

  #perform(op: string, argText: string): Promise<string> {
    const { transaction, core, kind } = this.options;
    if (transaction?.handles(op) === true) {
      if (kind !== "mutation" && !READS.has(op)) throw this.#denied(op);
      return this.#inTurn(() => this.#charged(argText, () => this.#databaseCall(transaction, op, argText)));
    }
    const hostCall = core.hostCallOf(op);
    if (hostCall === undefined) throw this.#unknown(op);
    if (!hostCall.kinds.includes(kind)) throw this.#denied(op);
    if (transaction === undefined) return hostCall.perform(this, argText);
    return this.#inTurn(() => this.#charged(argText, () => hostCall.perform(this, argText)));
  }

  /** F4. `perform` reads the argument before it waits for anything. */
  #charged(argText: string, perform: () => Promise<string>): Promise<string> {
    if (argText.length < limit("hostCallChargedBytes")) return perform();
    const { core, run } = this.options;
    const { config, runtime } = core.parts;
    if (run.attemptUserMs > config.userCpuMs) throw plinthError("FunctionTimeout", { max: `${config.userCpuMs / 1000}s` });
    const sinceMs = runtime.monotonicMs();
    const performed = perform();
    run.countHostWork(runtime.monotonicMs() - sinceMs);
    return performed;
  }

  /** F2 */
  #inTurn(perform: () => Promise<string>): Promise<string> {
    return this.#serial.run(() => {
      this.#checkOpen();
      return perform();
    });
  }

  async #databaseCall(transaction: Transaction, op: string, argText: string): Promise<string> {
    try {
      return await transaction.syscall(op, argText);
    } catch (error) {
      // A failure of the platform is not the function's, whatever the function makes of it.
      if (error instanceof Error && (!(error instanceof PlinthError) || error.spec.fault === "platform"))
        this.options.run.platformFailure ??= error;
      throw error;
    }
  }

  #checkOpen(): void {
    if (!this.#open) throw plinthError("SecurityViolation", { detail: "a host call after the end of the function" });
  }

  #denied(op: string): PlinthError {
    this.options.core.parts.telemetry.metrics.violation("effect");
    return plinthError("EffectDenied", { detail: `${ARTICLED[this.options.kind]} may not call \`${op}\`.` });
  }

  #unknown(op: string): PlinthError {
    if (this.options.transaction !== undefined || !DATABASE_CALLS.has(op)) return plinthError("NotAvailable", { what: `\`${op}\`` });
    this.options.core.parts.telemetry.metrics.violation("effect");
    return plinthError("EffectDenied", {
      detail: `Actions have no \`ctx.db\`: \`${op}\` is for queries and mutations, which an action calls with \`ctx.runQuery\` and \`ctx.runMutation\`.`,
    });
  }
}

const ARTICLED: Readonly<Record<FunctionKind, string>> = {
  query: "A query",
  mutation: "A mutation",
  action: "An action",
  httpAction: "An HTTP action",
  handler: "A handler",
  inline: "Inline code",
};

/** When native code has to end: with its call, or when its time is over. Most of it ends long before and never asks for the signal. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

export class NativeTime {
  readonly #call: AbortSignal;
  readonly #runtime: Pick<Runtime, "monotonicMs" | "timer">;
  readonly #wallMs: number;
  readonly #sinceMs: number;
  #ends: AbortController | undefined;
  #stop: (() => void) | undefined;

  constructor(
    call: AbortSignal,
    { runtime, wallMs }: { readonly runtime: Pick<Runtime, "monotonicMs" | "timer">; readonly wallMs: number },
  ) {
    this.#call = call;
    this.#runtime = runtime;
    this.#wallMs = wallMs;
    this.#sinceMs = runtime.monotonicMs();
  }

  get elapsedMs(): number {
    return this.#runtime.monotonicMs() - this.#sinceMs;
  }

  /** Aborts at the end; made when it is asked for. */
  get signal(): AbortSignal {
    if (this.#ends !== undefined) return this.#ends.signal;
    // A signal of its own in place of `AbortSignal.any`, whose weak references cost each call several times as much.
    const ends = new AbortController();
    this.#ends = ends;
    const abort = (): void => ends.abort(this.#call.reason);
    if (this.#call.aborted) abort();
    else this.#call.addEventListener("abort", abort, { once: true });
    const timer = this.#runtime.timer(this.#wallMs - this.elapsedMs, () => ends.abort(this.#timeout()));
    this.#stop = () => {
      timer.cancel();
      this.#call.removeEventListener("abort", abort);
    };
    return ends.signal;
  }

  /** Why it had to end; undefined when it had not. */
  reason(): Error | undefined {
    const signal = this.#ends?.signal ?? this.#call;
    if (signal.aborted) return signal.reason instanceof Error ? signal.reason : plinthError("Cancelled", { detail: "its call ended" });
    if (this.#ends !== undefined) return undefined;
    return this.elapsedMs > this.#wallMs ? this.#timeout() : undefined;
  }

  /** Frees what the signal took. */
  close(): void {
    this.#stop?.();
  }

  #timeout(): Error {
    return plinthError("FunctionTimeout", { max: `${this.#wallMs / 1000}s` });
  }
}

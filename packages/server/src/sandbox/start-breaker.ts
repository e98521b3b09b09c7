/** Slows down starts after failures, and stops waiting for them after several in a row. */
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";

export class StartBreaker {
  readonly #runtime: Runtime;
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #lastDetail = "";

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** How long the next start has to wait. */
  pauseMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#runtime.monotonicMs());
  }

  /** So many failures in a row that those who wait are better told. The next start is tried after the pause. */
  get isOpen(): boolean {
    return this.#failures >= limit("runnerStartFailuresMax") && this.pauseMs() > 0;
  }

  get isCalm(): boolean {
    return this.#failures === 0 || this.pauseMs() === 0;
  }

  get lastDetail(): string {
    return this.#lastDetail;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }

  failed(detail: string): void {
    this.#lastDetail = detail;
    const pauseMs = Math.min(limit("runnerStartBackoffMs") * 2 ** this.#failures, limit("runnerStartBackoffMsMax"));
    this.#failures++;
    this.#notBeforeMs = this.#runtime.monotonicMs() + pauseMs;
  }
}

import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";

const SLICE_MS = limit("databaseSliceMs");

/** Lets long work pause, so that other work of the host goes on between its parts. */
export class Breather {
  readonly #runtime: Runtime;
  #sinceMs: number;
  #endedMs: number | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#sinceMs = runtime.monotonicMs();
  }

  /** A new piece of work begins: what passed since the last one was not work. Pieces without a pause add up. */
  start(): void {
    const nowMs = this.#runtime.monotonicMs();
    this.#sinceMs = this.#endedMs === undefined ? nowMs : this.#sinceMs + nowMs - this.#endedMs;
    this.#endedMs = undefined;
  }

  /** The piece is over. */
  end(): void {
    this.#endedMs = this.#runtime.monotonicMs();
  }

  async breathe(): Promise<void> {
    if (this.#runtime.monotonicMs() - this.#sinceMs < SLICE_MS) return;
    await this.#runtime.sleep(0);
    this.#sinceMs = this.#runtime.monotonicMs();
  }
}

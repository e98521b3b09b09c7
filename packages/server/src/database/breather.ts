import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";

const SLICE_MS = limit("databaseSliceMs");

/** Lets long reads pause, so that other work of the host goes on between their batches. */
export class Breather {
  readonly #runtime: Runtime;
  #sinceMs: number;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#sinceMs = runtime.monotonicMs();
  }

  /** A new piece of work begins: what passed since the last one was not work. */
  start(): void {
    this.#sinceMs = this.#runtime.monotonicMs();
  }

  async breathe(): Promise<void> {
    if (this.#runtime.monotonicMs() - this.#sinceMs < SLICE_MS) return;
    await this.#runtime.sleep(0);
    this.start();
  }
}

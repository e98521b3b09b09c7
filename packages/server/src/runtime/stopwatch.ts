import type { Runtime } from "./runtime.ts";

/** How long the steps of something took, in whole milliseconds. */
export class Stopwatch {
  readonly timings: Record<string, number> = {};
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async measure<T>(name: string, body: () => Promise<T>): Promise<T> {
    const startedMs = this.#runtime.monotonicMs();
    try {
      return await body();
    } finally {
      this.timings[name] = Math.round(this.#runtime.monotonicMs() - startedMs);
    }
  }
}

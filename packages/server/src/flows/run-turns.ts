/**
 * Turns of runs that only compute. Each slice of one takes some milliseconds of the host's thread, and a thousand runs may want one at the
 * same time: one slice is made in a turn of the loop, tenants after each other, so that whoever asks the host for something waits for one
 * slice and not for all.
 */
import type { Runtime } from "../runtime/runtime.ts";

export class RunTurns {
  readonly #runtime: Pick<Runtime, "sleep">;
  /** By tenant, in the order in which they asked. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #isServing = false;

  constructor(runtime: Pick<Runtime, "sleep">) {
    this.#runtime = runtime;
  }

  /** Resolves when a slice may be made. */
  async next(tenant: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = this.#waiting.get(tenant);
    if (own === undefined) this.#waiting.set(tenant, new Set([resolve]));
    else own.add(resolve);
    if (!this.#isServing) void this.#serve();
    await promise;
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#waiting.size > 0) {
      await this.#runtime.sleep(0);
      this.#serveOne();
    }
    this.#isServing = false;
  }

  #serveOne(): void {
    for (const [tenant, waiting] of this.#waiting) {
      const [go] = waiting;
      this.#waiting.delete(tenant);
      if (go === undefined) continue;
      waiting.delete(go);
      if (waiting.size > 0) this.#waiting.set(tenant, waiting);
      go();
      return;
    }
  }
}

/**
 * Shares the host's event loop between tenants. Places bound what a tenant runs; what its calls do in the host still comes in the order
 * in which they asked, and a tenant with many would be served for all of them before another's only one goes on.
 *
 * T1 While several tenants call, each begins `callsPerTurnMax` calls in a turn of the loop, the rest in the next ones: a call waits for
 *    what others have under way, not for what they have sent.
 * T2 A tenant that calls alone waits for nothing.
 * T3 Calls of one tenant begin in the order in which they asked.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";

export class LoopTurns {
  readonly #runtime: Pick<Runtime, "monotonicMs">;
  readonly #nextTurn: (callback: () => void) => void;
  /** Calls that began in this turn. */
  readonly #begun = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTurning = false;
  #lastTenant: string | undefined;
  #sharedUntilMs = Number.NEGATIVE_INFINITY;

  /** `nextTurn` calls back once, after everything that is ready: answers of runners and of the store go before new calls. */
  constructor(runtime: Pick<Runtime, "monotonicMs">, nextTurn: (callback: () => void) => void = setImmediate) {
    this.#runtime = runtime;
    this.#nextTurn = nextTurn;
  }

  /** Undefined when the call may begin at once; else resolves when it may. */
  take(tenant: string): Promise<void> | undefined {
    if (!this.#isShared(tenant)) return undefined;
    this.#keepTurning();
    const begun = this.#begun.get(tenant) ?? 0;
    if (begun < limit("callsPerTurnMax") && !this.#waiting.has(tenant)) {
      this.#begun.set(tenant, begun + 1);
      return undefined;
    }
    return new Promise((resolve) => {
      const own = this.#waiting.get(tenant);
      if (own === undefined) this.#waiting.set(tenant, [resolve]);
      else own.push(resolve);
    });
  }

  #isShared(tenant: string): boolean {
    const nowMs = this.#runtime.monotonicMs();
    if (this.#lastTenant !== undefined && this.#lastTenant !== tenant) this.#sharedUntilMs = nowMs + limit("sharedLoopMs");
    this.#lastTenant = tenant;
    return nowMs < this.#sharedUntilMs || this.#waiting.has(tenant);
  }

  #keepTurning(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    this.#nextTurn(() => {
      this.#isTurning = false;
      this.#begun.clear();
      for (const [tenant, queue] of this.#waiting) {
        const released = queue.splice(0, limit("callsPerTurnMax"));
        if (queue.length === 0) this.#waiting.delete(tenant);
        this.#begun.set(tenant, released.length);
        for (const release of released) release();
      }
      if (this.#begun.size > 0) this.#keepTurning();
    });
  }
}

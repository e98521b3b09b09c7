/**
 * Places for the calls of steps: so many of a tenant, and of all, ask the engine at a time. The others wait here, where nobody refuses
 * them: after a restart ten thousand runs go on at once, and the engine's own queues are for callers who may try again.
 */
import { limit } from "@plinth/core/limits.ts";

interface TenantCalls {
  open: number;
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
}

export class CallPlaces {
  readonly #tenants = new Map<string, TenantCalls>();
  #open = 0;

  /** Resolves with what gives the place back: at once where there is one, and when `signal` ends the call, which then ends at once. */
  async enter(tenant: string, signal: AbortSignal): Promise<() => void> {
    const calls = this.#callsOf(tenant);
    if (this.#hasPlace(calls) || signal.aborted) this.#take(calls);
    else await this.#wait(calls, signal);
    return () => this.#leave(tenant, calls);
  }

  #wait(calls: TenantCalls, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        calls.waiting.delete(go);
        signal.removeEventListener("abort", go);
        this.#take(calls);
        resolve();
      };
      calls.waiting.add(go);
      signal.addEventListener("abort", go, { once: true });
    });
  }

  #take(calls: TenantCalls): void {
    calls.open += 1;
    this.#open += 1;
  }

  #leave(tenant: string, calls: TenantCalls): void {
    calls.open -= 1;
    this.#open -= 1;
    this.#wakeOne();
    if (calls.open === 0 && calls.waiting.size === 0) this.#tenants.delete(tenant);
  }

  /** Tenants take turns where the host is full. */
  #wakeOne(): void {
    for (const [tenant, calls] of this.#tenants) {
      const [next] = calls.waiting;
      if (next === undefined || !this.#hasPlace(calls)) continue;
      this.#tenants.delete(tenant);
      this.#tenants.set(tenant, calls);
      next();
      return;
    }
  }

  #hasPlace({ open }: TenantCalls): boolean {
    return open < limit("flowCallsPerTenantMax") && this.#open < limit("flowCallsMax");
  }

  #callsOf(tenant: string): TenantCalls {
    let calls = this.#tenants.get(tenant);
    if (calls === undefined) this.#tenants.set(tenant, (calls = { open: 0, waiting: new Set() }));
    return calls;
  }
}

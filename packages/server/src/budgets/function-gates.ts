/** Rates and concurrency of functions and of tenants, in memory: a restart begins with full buckets. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { fullBucket, takeToken, type Bucket, type RateLimit } from "@plinth/core/policy/rate.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { AdmittedCall } from "./budgets.ts";

interface Running {
  count: number;
  /** Patient calls that wait for a place, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

export class FunctionGates {
  readonly #runtime: Runtime;
  readonly #buckets = new Map<string, Bucket>();
  readonly #running = new Map<string, Running>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Passes `what` (for messages) when its rate allows it. */
  async pass(key: string, gate: { readonly what: string; readonly rate: RateLimit }, call: Pick<AdmittedCall, "patient" | "signal">) {
    for (;;) {
      const nowMs = this.#runtime.monotonicMs();
      const taken = takeToken(this.#buckets.get(key) ?? fullBucket(gate.rate, nowMs), gate.rate, nowMs);
      this.#keep(key, taken.bucket);
      if (taken.waitMs === 0) return;
      if (!call.patient) throw plinthError("RateLimited", { what: gate.what, perSecond: gate.rate.perSecond, waitMs: taken.waitMs });
      await this.#runtime.sleep(taken.waitMs, call.signal);
    }
  }

  /** Takes one of `max` places; what it returns gives it back. */
  async enter(key: string, { what, max }: { readonly what: string; readonly max: number }, call: Pick<AdmittedCall, "patient" | "signal">) {
    const running = this.#running.get(key) ?? { count: 0, waiting: new Set() };
    this.#running.set(key, running);
    while (running.count >= max) {
      if (!call.patient) throw plinthError("TooManyConcurrentRequests", { detail: `${max} calls of ${what} run already` });
      await this.#turn(running, call.signal);
    }
    running.count++;
    return () => {
      running.count--;
      const next = running.waiting.values().next().value;
      next?.();
      if (running.count === 0 && running.waiting.size === 0) this.#running.delete(key);
    };
  }

  async #turn(running: Running, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    running.waiting.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    try {
      await promise;
    } finally {
      running.waiting.delete(resolve);
    }
    signal.throwIfAborted();
  }

  /** Full buckets need no place: the oldest go first, and come back full. */
  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= limit("rateBucketsMax")) return;
    const oldest = this.#buckets.keys().next().value;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** How much of the world's traffic one event source, or one flow, takes: a rate, and a number at the same time. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { fullBucket, takeToken, type Bucket, type RateLimit } from "@plinth/core/policy/rate.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface GateLimits {
  /** In messages. */
  readonly what: string;
  readonly perSecond: number;
  readonly burst: number;
  readonly runningMax: number;
}

const OF_SOURCES: GateLimits = {
  what: "this event source",
  perSecond: limit("sourceRequestsPerSecond"),
  burst: limit("sourceRequestsBurst"),
  runningMax: limit("sourceRequestsRunningMax"),
};

export class SourceGate {
  readonly #runtime: Pick<Runtime, "monotonicMs">;
  readonly #limits: GateLimits;
  readonly #buckets = new Map<string, Bucket>();
  readonly #running = new Map<string, number>();

  constructor(runtime: Pick<Runtime, "monotonicMs">, limits = OF_SOURCES) {
    this.#runtime = runtime;
    this.#limits = limits;
  }

  /** Does work for a source, or rejects with RateLimited or TooManyConcurrentRequests. `raised`: a rate that counts where it is greater. */
  async run<T>(sourceId: string, work: () => Promise<T>, raised: RateLimit | null = null): Promise<T> {
    this.#take(sourceId, raised);
    this.#checkRunning(sourceId);
    this.#running.set(sourceId, (this.#running.get(sourceId) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#running.get(sourceId) ?? 1) - 1;
      if (left === 0) this.#running.delete(sourceId);
      else this.#running.set(sourceId, left);
    }
  }

  /** Rejects like `run` what would have to wait now, and counts nothing. */
  check(sourceId: string): void {
    this.#checkRunning(sourceId);
    const { what, ...rate } = this.#limits;
    const nowMs = this.#runtime.monotonicMs();
    const { waitMs } = takeToken(this.#buckets.get(sourceId) ?? fullBucket(rate, nowMs), rate, nowMs);
    if (waitMs > 0) throw plinthError("RateLimited", { perSecond: rate.perSecond, what, waitMs });
  }

  #checkRunning(sourceId: string): void {
    const { runningMax: max, what } = this.#limits;
    if ((this.#running.get(sourceId) ?? 0) >= max)
      throw plinthError("TooManyConcurrentRequests", { detail: `${max} requests to ${what} are worked on` });
  }

  #take(sourceId: string, raised: RateLimit | null): void {
    const nowMs = this.#runtime.monotonicMs();
    const { what, ...own } = this.#limits;
    const rate = raised !== null && raised.perSecond > own.perSecond ? raised : own;
    const { bucket, waitMs } = takeToken(this.#buckets.get(sourceId) ?? fullBucket(rate, nowMs), rate, nowMs);
    this.#buckets.delete(sourceId);
    this.#buckets.set(sourceId, bucket);
    // Full buckets need no place: the oldest go first, and come back full.
    const oldest = this.#buckets.size > limit("rateBucketsMax") ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    if (waitMs > 0) throw plinthError("RateLimited", { perSecond: rate.perSecond, what, waitMs });
  }
}

/** How much of the world's traffic one event source takes: a rate, and a number at the same time. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { fullBucket, takeToken, type Bucket } from "@plinth/core/policy/rate.ts";
import type { Runtime } from "../runtime/runtime.ts";

const RATE = { perSecond: limit("sourceRequestsPerSecond"), burst: limit("sourceRequestsBurst") };

export class SourceGate {
  readonly #runtime: Pick<Runtime, "monotonicMs">;
  readonly #buckets = new Map<string, Bucket>();
  readonly #running = new Map<string, number>();

  constructor(runtime: Pick<Runtime, "monotonicMs">) {
    this.#runtime = runtime;
  }

  /** Does work for a source, or rejects with RateLimited or TooManyConcurrentRequests. */
  async run<T>(sourceId: string, work: () => Promise<T>): Promise<T> {
    this.#take(sourceId);
    const running = this.#running.get(sourceId) ?? 0;
    const max = limit("sourceRequestsRunningMax");
    if (running >= max) throw plinthError("TooManyConcurrentRequests", { detail: `${max} requests to this event source are worked on` });
    this.#running.set(sourceId, running + 1);
    try {
      return await work();
    } finally {
      const left = (this.#running.get(sourceId) ?? 1) - 1;
      if (left === 0) this.#running.delete(sourceId);
      else this.#running.set(sourceId, left);
    }
  }

  #take(sourceId: string): void {
    const nowMs = this.#runtime.monotonicMs();
    const { bucket, waitMs } = takeToken(this.#buckets.get(sourceId) ?? fullBucket(RATE, nowMs), RATE, nowMs);
    this.#buckets.delete(sourceId);
    this.#buckets.set(sourceId, bucket);
    // Full buckets need no place: the oldest go first, and come back full.
    const oldest = this.#buckets.size > limit("rateBucketsMax") ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    if (waitMs > 0) throw plinthError("RateLimited", { perSecond: RATE.perSecond, what: "this event source", waitMs });
  }
}

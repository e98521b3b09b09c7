/** How many runs the steps of a tenant's runs begin in a time: runs that begin runs that begin runs would fill the disk otherwise. */
import { limit } from "@plinth/core/limits.ts";
import { type Bucket, fullBucket, type RateLimit, takeToken } from "@plinth/core/policy/rate.ts";
import type { Runtime } from "../runtime/runtime.ts";

export class ChildStarts {
  readonly #runtime: Pick<Runtime, "monotonicMs" | "sleep">;
  readonly #rate: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    runtime: Pick<Runtime, "monotonicMs" | "sleep">,
    rate: RateLimit = { perSecond: limit("flowChildrenPerSecond"), burst: limit("flowChildrenBurst") },
  ) {
    this.#runtime = runtime;
    this.#rate = rate;
  }

  /** Resolves when one more may begin; rejects when `signal` ends the step that waits. */
  async take(tenant: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const nowMs = this.#runtime.monotonicMs();
      const { bucket, waitMs } = takeToken(this.#buckets.get(tenant) ?? fullBucket(this.#rate, nowMs), this.#rate, nowMs);
      this.#buckets.delete(tenant);
      this.#buckets.set(tenant, bucket);
      // Full buckets need no place: the oldest go first, and come back full.
      const oldest = this.#buckets.size > limit("rateBucketsMax") ? this.#buckets.keys().next().value : undefined;
      if (oldest !== undefined) this.#buckets.delete(oldest);
      if (waitMs === 0) return;
      await this.#runtime.sleep(waitMs, signal);
    }
  }
}

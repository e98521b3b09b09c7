/** When a failed step is tried again. No randomness: the pause grows by a factor up to a maximum. */
import type { RetryPolicy } from "./definition.ts";

/** `attempt`: the one that failed, from 1. */
export function retries(policy: RetryPolicy, attempt: number, isRetryable: boolean): boolean {
  return attempt < policy.attempts && (isRetryable || policy.on === "any");
}

/** `leastMs`: what the other system asked for. */
export function retryDelayMs({ delayMs, delayMsMax, factor }: RetryPolicy, attempt: number, leastMs: number): number {
  const grown = delayMs * factor ** Math.min(attempt - 1, 64);
  return Math.round(Math.min(delayMsMax, Math.max(grown, leastMs)));
}

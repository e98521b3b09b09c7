/** When failed work runs again, and after which pause. */
import { assert } from "../assert.ts";
import { limit } from "../limits.ts";

/**
 * - conflict: an interactive mutation read what another one wrote.
 * - scheduledConflict: the same for a scheduled mutation, which waits for its success.
 * - platform: Plinth failed, not the function.
 * - scheduledPlatform: the same for a scheduled mutation, which waits until Plinth works again.
 */
export type RetryKind = "conflict" | "scheduledConflict" | "platform" | "scheduledPlatform";

export interface RetryState {
  readonly kind: RetryKind;
  /** Runs that failed so far; 1 after the first. */
  readonly attempt: number;
}

/** Whether another run follows. */
export function shouldRetry({ kind, attempt }: RetryState): boolean {
  switch (kind) {
    case "conflict":
      return attempt < limit("conflictAttemptsMax");
    case "scheduledConflict":
    case "scheduledPlatform":
      return true;
    case "platform":
      return attempt < limit("platformAttemptsMax");
  }
}

/**
 * The pause before the next run. It doubles with each failure up to a maximum; `jitter`, at random from 0 to
 * below 1, chooses from the upper half of it, so that runs that failed together do not meet again.
 */
export function retryDelayMs({ kind, attempt, jitter }: RetryState & { readonly jitter: number }): number {
  assert(Number.isInteger(attempt) && attempt >= 1, "attempts count from 1");
  assert(jitter >= 0 && jitter < 1, "jitter is from 0 to below 1");
  const { firstMs, maxMs } = backoff(kind);
  // The exponent is bounded, because 2 to a large power is infinite.
  const pauseMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 32));
  return Math.round(pauseMs * (0.5 + jitter / 2));
}

function backoff(kind: RetryKind): { readonly firstMs: number; readonly maxMs: number } {
  switch (kind) {
    case "conflict":
      return { firstMs: limit("conflictBackoffMs"), maxMs: limit("conflictBackoffMsMax") };
    case "scheduledConflict":
      return { firstMs: limit("conflictBackoffMs"), maxMs: limit("scheduledConflictBackoffMsMax") };
    case "platform":
      return { firstMs: limit("retryBackoffMs"), maxMs: limit("retryBackoffMsMax") };
    case "scheduledPlatform":
      return { firstMs: limit("scheduledRetryBackoffMs"), maxMs: limit("scheduledRetryBackoffMsMax") };
  }
}

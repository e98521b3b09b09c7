import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** The pause before attempt `attempt + 1` of a transaction of the platform's own: doubles, bounded, with full jitter. */
export function backoffMs(runtime: Runtime, attempt: number): number {
  const longest = Math.min(limit("platformConflictBackoffMs") * 2 ** Math.min(attempt - 1, 20), limit("platformConflictBackoffMsMax"));
  return longest * runtime.random();
}

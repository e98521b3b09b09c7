/** When a scheduled run is tried again after a conflict or another failure of the platform. */
import type { PlinthError } from "@plinth/core/errors.ts";
import { retryDelayMs } from "@plinth/core/policy/retry.ts";
import type { Runtime } from "../runtime/runtime.ts";

export function nextAttempt(
  row: { readonly conflicts: number; readonly failures: number },
  error: PlinthError,
  runtime: Pick<Runtime, "nowMs" | "random">,
): { readonly dueMs: number; readonly cause: "conflict" | "failure" } {
  const cause = error.code === "OptimisticConcurrencyControlFailure" ? "conflict" : "failure";
  const kind = cause === "conflict" ? "scheduledConflict" : "scheduledPlatform";
  const attempt = (cause === "conflict" ? row.conflicts : row.failures) + 1;
  return { cause, dueMs: runtime.nowMs() + retryDelayMs({ kind, attempt, jitter: runtime.random() }) };
}

/** What a function that did not succeed means as the result of an operation. */
import type { PlinthError } from "@plinth/core/errors.ts";
import type { OperationResult } from "@plinth/core/operations/operation.ts";
import type { InvocationOutcome } from "../../engine/invocation.ts";

/** The failure as a result, for those who take nothing else; its outcome says the same in the platform's words. */
export function failedResult(error: PlinthError): OperationResult {
  const type = error.spec.retry === "never" ? "unknown" : "retryExecution";
  return { kind: "error", error: { type, message: error.message } };
}

/** A call that ran, whose result is of no use. */
export function withFailure(outcome: InvocationOutcome, error: PlinthError): InvocationOutcome {
  const { id, traceId, functionPath, version, logs, logsDropped, usage } = outcome;
  return { id, traceId, functionPath, version, logs, logsDropped, usage, status: "failed", error };
}

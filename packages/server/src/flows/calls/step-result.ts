/** What a step gets of the outcome of its call. */
import type { PlinthError } from "@plinth/core/errors.ts";
import type { StepError } from "@plinth/core/flow/events.ts";
import { DEFAULT_PORT, type Json, type OperationResult } from "@plinth/core/operations/operation.ts";
import type { InvocationOutcome } from "../../engine/invocation.ts";
import type { StepResult } from "./call.ts";

export function ofOutcome(outcome: InvocationOutcome, read: (valueText: string) => StepResult): StepResult {
  return outcome.status === "failed" ? { ok: false, error: stepErrorOf(outcome.error) } : read(outcome.valueText);
}

export function valueOf(valueText: string): StepResult {
  return given(JSON.parse(valueText) as Json);
}

/** The values of the one port as they are; of several ports, by name. */
export function ofResult(result: OperationResult): StepResult {
  if (result.kind === "error") {
    const { type, message } = result.error;
    return { ok: false, error: { code: type, message, retryable: type === "retryExecution" } };
  }
  const [only, ...others] = result.ports;
  if (only?.port === DEFAULT_PORT && others.length === 0) return given(only.values.length > 1 ? only.values : (only.values[0] ?? null));
  return given(Object.fromEntries(result.ports.map(({ port, values }) => [port, values])));
}

export function given(output: Json): StepResult {
  return { ok: true, output };
}

export function stepErrorOf(error: PlinthError): StepError {
  const code = error.code === "DeadlineExceeded" || error.code === "FunctionTimeout" ? "timeout" : error.code;
  return { code, message: error.message, retryable: error.spec.retry !== "never" || code === "timeout" };
}

/** What a run of user code that did not succeed means as an error. All texts in an outcome are the user's. */
import { unreachable } from "@plinth/core/assert.ts";
import { parseValueText } from "@plinth/core/documents/values.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { escapeText } from "@plinth/core/policy/escape-text.ts";
import type { CallOutcome } from "../sandbox/sandbox.ts";

export interface FunctionFailure {
  readonly error: PlinthError;
  /** Mapped frames, one per line. */
  readonly stack?: string;
  /** The handler asked to be run again. */
  readonly retry?: { readonly refresh: boolean };
}

type FailedOutcome = Exclude<CallOutcome, { readonly kind: "ok" }>;

/** `abortReason` is why the host ended the call, if it did. */
export function failureOf(
  outcome: FailedOutcome,
  abortReason: PlinthError | undefined,
  redact: (text: string) => string = (text) => text,
): FunctionFailure {
  switch (outcome.kind) {
    case "error": {
      const detail = `Uncaught ${escapeText(redact(outcome.message), limit("failureMessageCharsMax"))}`;
      // Answers hold the text as it is, so only what is a value passes; user code can make it any text.
      const options = outcome.dataText !== undefined && isValueText(outcome.dataText) ? { dataText: outcome.dataText } : {};
      const error = plinthError("FunctionError", { detail }, options);
      return {
        error,
        ...(outcome.stack === undefined ? {} : { stack: escapeText(redact(outcome.stack), limit("failureStackCharsMax")) }),
        ...(outcome.retry === undefined ? {} : { retry: outcome.retry }),
      };
    }
    case "policy":
      return { error: plinthError("PolicyViolation", { detail: escapeText(redact(outcome.message), limit("failureMessageCharsMax")) }) };
    case "invalid":
      return { error: plinthError("InvalidCode", { detail: escapeText(redact(outcome.message), limit("failureMessageCharsMax")) }) };
    case "neverResolves":
      return { error: plinthError("FunctionNeverResolves", {}) };
    case "timeout":
      return { error: plinthError("FunctionTimeout", { max: secondsText(outcome.maxMs) }) };
    case "outOfMemory":
      return { error: plinthError("FunctionOutOfMemory", { max: `${Math.round(outcome.maxBytes / (1024 * 1024))} MB` }) };
    case "security":
      return { error: plinthError("SecurityViolation", { detail: escapeText(outcome.reason, limit("failureMessageCharsMax")) }) };
    case "cancelled":
      return { error: abortReason ?? plinthError("Cancelled", { detail: "the tenant's runners were ended" }) };
    case "lost":
      // A call that was told to end may take its runner with it.
      if (abortReason !== undefined) return { error: abortReason };
      return { error: plinthError("RunnerLost", { detail: escapeText(outcome.reason, limit("failureMessageCharsMax")) }) };
    default:
      return unreachable(outcome);
  }
}

/** Failures that user code cannot catch: after one in a nested call the whole call is over. */
export function endsWholeCall(outcome: CallOutcome): boolean {
  return (
    outcome.kind === "timeout" ||
    outcome.kind === "outOfMemory" ||
    outcome.kind === "security" ||
    outcome.kind === "cancelled" ||
    outcome.kind === "lost"
  );
}

/** What the caller of a nested function sees: the message with the frames below it. */
export function asCallerSees(failure: FunctionFailure): PlinthError {
  if (failure.stack === undefined) return failure.error;
  const { dataText } = failure.error;
  return plinthError("FunctionError", { detail: `${failure.error.message}\n${failure.stack}` }, dataText === undefined ? {} : { dataText });
}

function isValueText(text: string): boolean {
  try {
    parseValueText(text);
    return true;
  } catch (error) {
    if (error instanceof PlinthError) return false;
    throw error;
  }
}

function secondsText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

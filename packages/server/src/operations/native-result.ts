/**
 * How results of native operations are written into the value of their invocation, and read from it. One with names that no document
 * may have is a text in there.
 */
import { parseValueText } from "@plinth/core/documents/values.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type OperationError, type OperationResult } from "@plinth/core/operations/operation.ts";
import { readPlainResult } from "@plinth/core/operations/result.ts";
import type { InvocationOutcome } from "../engine/invocation.ts";
import { parseJson } from "./native-call.ts";

/** The value of the invocation: the plain form of the result. It is the text of a value. */
export function resultText(result: OperationResult): string {
  const text = JSON.stringify(plainForm(result));
  try {
    parseValueText(text);
    return text;
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    return JSON.stringify({ text });
  }
}

export function plainForm(result: OperationResult): JsonObject {
  if (result.kind === "error") return { error: { ...result.error } };
  const [only, ...others] = result.ports;
  if (only?.port === DEFAULT_PORT && others.length === 0) return { output: { values: only.values } };
  return { ports: result.ports.map(({ port, values }) => ({ port, values })) };
}

/** The result of a call that succeeded, whose text the engine has read. */
export function readValue(valueText: string): OperationResult {
  const json = JSON.parse(valueText) as Json;
  const { text } = isObject(json) ? json : {};
  return readPlainResult(typeof text === "string" ? parseJson(text) : json, []);
}

/** What a call that failed means: the operation says no. */
export function failedResult(error: PlinthError): OperationResult {
  const max = limit("operationErrorCharsMax");
  return { kind: "error", error: { type: errorType(error), message: error.message.slice(0, max) } };
}

const REQUESTS: ReadonlySet<PlinthError["code"]> = new Set([
  "ArgumentValidation",
  "InvalidArgument",
  "SchemaViolation",
  "LimitExceeded",
  "FetchRefused",
  "AiRefused",
  "InvalidCode",
  "PolicyViolation",
]);

function errorType({ code, spec }: PlinthError): OperationError["type"] {
  if (spec.retry !== "never") return "retryExecution";
  return REQUESTS.has(code) ? "invalidRequest" : "unknown";
}

/** A call that ran, whose result is of no use. */
export function withFailure(outcome: InvocationOutcome, error: PlinthError): InvocationOutcome {
  const { id, traceId, functionPath, version, logs, logsDropped, usage } = outcome;
  return { id, traceId, functionPath, version, logs, logsDropped, usage, status: "failed", error };
}

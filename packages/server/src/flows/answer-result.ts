/** What somebody sent to complete a step, read. */
import { plinthError } from "@plinth/core/errors.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { AnswerResult } from "./flows.ts";

/** `{output}` or `{error: {code, message, retryable?}}`; any other JSON is itself the output, as many systems know one form only. */
export function answerResult(body: Json): AnswerResult {
  const [only, ...others] = isRecord(body) ? Object.keys(body) : [];
  if (!isRecord(body) || others.length > 0) return { kind: "output", output: body };
  if (only === "output") return { kind: "output", output: body["output"] ?? null };
  if (only !== "error") return { kind: "output", output: body };
  const { error } = body;
  if (typeof error === "string") return { kind: "error", error: { code: "failed", message: cut(error) } };
  const { code, message, retryable } = isRecord(error ?? null) ? (error as JsonObject) : {};
  if (typeof code !== "string" || !/^[\w.-]{1,64}$/.test(code) || typeof message !== "string")
    throw plinthError("BadRequest", { detail: "`error` is a text, or an object with the texts `code` and `message`." });
  return { kind: "error", error: { code, message: cut(message), retryable: retryable === true } };
}

function cut(text: string): string {
  return text.slice(0, limit("operationErrorCharsMax"));
}

/** What sync and async calls of inline code share: the code, and what its outcome means. */
import { must } from "@plinth/core/assert.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { InvocationOutcome } from "../../engine/invocation.ts";
import { placeOfStack, shownPlace } from "../script-place.ts";
import type { CallOf, CallOfRun, StepResult } from "./call.ts";
import { given, stepErrorOf } from "./step-result.ts";

/** The code of the node, or of what undoes it. */
export function codeOf(call: CallOf<"inline">, { program, command }: Pick<CallOfRun, "program" | "command">): string {
  const node = must(program.definition.nodes[call.node], "the node of a call is there");
  const code = (command.isUndo ? must(node.compensate, "what undoes it is there") : node).data["code"];
  return typeof code === "string" ? code : "";
}

export function inlineResult(outcome: InvocationOutcome, code: string): StepResult {
  if (outcome.status === "failed") return { ok: false, error: withPlace(stepErrorOf(outcome.error), outcome.stack, code) };
  const json = JSON.parse(outcome.valueText) as Json;
  return given(isRecord(json) ? (json["result"] ?? null) : null);
}

/** The author finds the place of a failure in the message. */
function withPlace<Failed extends { readonly message: string }>(error: Failed, stack: string | undefined, code: string): Failed {
  const place = placeOfStack(stack);
  const shown = place === null ? null : shownPlace(code, place);
  return shown === null ? error : { ...error, message: `${error.message} (${shown})` };
}

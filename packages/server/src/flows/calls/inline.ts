/**
 * Code of a node. It sees `inputs`: what the node was given, and `workflow` with what core/flow/script-context.ts says. Scripts see
 * `workflow` by its own name too. What it prints goes into the log of its run.
 */
import { must } from "@plinth/core/assert.ts";
import { scriptContext } from "@plinth/core/flow/script-context.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import { inlinePath } from "../../engine/inline-code.ts";
import type { InvocationOutcome } from "../../engine/invocation.ts";
import { placeOfStack, shownPlace } from "../script-place.ts";
import { bundleOfCall } from "../bundles/bundle-of-call.ts";
import type { CallKind, CallOf, CallOfRun, StepResult } from "./call.ts";
import { requestOf } from "./call-request.ts";
import { given, stepErrorOf } from "./step-result.ts";

export const inlineCall: CallKind<"inline"> = {
  // Scripts have no way out of their isolate; Python may have one.
  classOf: (_parts, { language }) => (language === "javascript" ? "compute" : "outside"),
  perform: async ({ engine, scripts, stepLogs, values }, call, of) => {
    const { program, command, state, scope } = of;
    const code = codeOf(call, of);
    if (call.language === "javascript") await scripts.check(scope.tenant, code);
    const context = scriptContext(program, state, command.key);
    const workflow = context === null ? null : await values.described(of.scope, context);
    const timeoutMs = Math.min(command.timeoutMs, limit("inlineWallMsMax"));
    const inputs = { ...(isRecord(call.input.json) ? call.input.json : {}), workflow };
    const log = stepLogs.begin(of);
    const outcome = await engine()
      .invoke(
        {
          ...requestOf(of),
          path: inlinePath(call.language),
          ...bundleOfCall(call, of),
          argsText: JSON.stringify({ code, inputs, names: ["workflow"], timeoutMs, streams: true }),
        },
        { signal: of.signal, patient: true, onEvent: log.onEvent },
      )
      .finally(() => log.end());
    return inlineResult(outcome, code);
  },
};

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

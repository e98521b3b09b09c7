/**
 * Code of a node. It sees `inputs`: what the node was given, and `workflow` with what core/flow/script-context.ts says. Scripts see
 * `workflow` by its own name too.
 */
import { must } from "@plinth/core/assert.ts";
import { scriptContext } from "@plinth/core/flow/script-context.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import { inlinePath } from "../../engine/inline-code.ts";
import type { CallKind } from "./call.ts";
import { requestOf } from "./call-request.ts";
import { given, ofOutcome } from "./step-result.ts";

export const inlineCall: CallKind<"inline"> = {
  // Scripts have no way out of their isolate; Python may have one.
  classOf: (_parts, { language }) => (language === "javascript" ? "compute" : "outside"),
  perform: async ({ engine, values }, call, of) => {
    const { program, command, state } = of;
    const { data } = must(program.definition.nodes[call.node], "the node of a call is there");
    const context = scriptContext(program, state, command.key);
    const workflow = context === null ? null : await values.described(of.scope, context);
    const text = typeof data["code"] === "string" ? data["code"] : "";
    // On the first line of the author, so that the others keep their numbers.
    const code = call.language === "javascript" ? `const { workflow } = inputs; ${text}` : text;
    const timeoutMs = Math.min(command.timeoutMs, limit("inlineWallMsMax"));
    const inputs = { ...(isRecord(call.input.json) ? call.input.json : {}), workflow };
    const outcome = await engine().invoke(
      {
        ...requestOf(of),
        path: inlinePath(call.language),
        argsText: JSON.stringify({ code, inputs, timeoutMs, streams: true }),
      },
      { signal: of.signal, patient: true },
    );
    return ofOutcome(outcome, (valueText) => {
      const json = JSON.parse(valueText) as Json;
      return given(isRecord(json) ? (json["result"] ?? null) : null);
    });
  },
};

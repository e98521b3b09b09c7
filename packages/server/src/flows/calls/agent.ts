/**
 * A message to an agent: one question to the language model of the host's settings, which is what `ask_ai` asks. An agent is what its
 * node says of it; it knows nothing but what it is given, has no tools, and remembers nothing between two steps.
 */
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { CallKind, StepResult } from "./call.ts";
import { performOperation } from "./operation.ts";

export const agentCall: CallKind<"agent"> = {
  classOf: () => "outside",
  perform: async (parts, { agent, session, input }, of) => {
    const question = questionOf(agent, input.json);
    const result = await performOperation(parts, of, { operation: "plinth/ask_ai", input: question });
    return answerOf(result, session ?? of.command.key);
  },
};

function questionOf(agent: string, input: Json): JsonObject {
  const { message = "", context = {}, instructions, schema, model } = isRecord(input) ? input : {};
  const hasContext = isRecord(context) && Object.keys(context).length > 0;
  const system = [`You are the agent "${agent}".`, ...(typeof instructions === "string" ? [instructions] : [])].join("\n");
  return {
    prompt: message,
    system,
    ...(hasContext ? { data: context } : {}),
    ...(schema === undefined ? {} : { schema }),
    ...(model === undefined ? {} : { model }),
  };
}

function answerOf(result: StepResult, session: string): StepResult {
  if (result.ok !== true || !isRecord(result.output)) return result;
  const { text = "", json = null } = result.output;
  return { ok: true, output: { message: text, session, output: json } };
}

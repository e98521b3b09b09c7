/** Sends a message to an agent and waits for its answer. */
import { defineNode, type Resolver } from "../node-type.ts";
import type { Template } from "../template.ts";
import { recordValue } from "../value.ts";
import { formField } from "./form-fields.ts";

export const talkToAgent = defineNode({
  type: "talk_to_agent",
  title: "Talk to agent",
  description: "Sends a message to an agent and hands on its answer.",
  category: "call",
  fields: [
    formField("agent", "text", "Name of the agent.", { required: true }),
    formField("message", "text", "What it is told.", { required: true, editor: "expression" }),
    formField("instructions", "text", "Who it is and how it behaves.", { editor: "expression" }),
    formField("context", "struct", "Values that the agent may use.", { editor: "expression" }),
    formField("schema", "struct", "JSON Schema of the answer, which then stands in `output`."),
    formField("model", "text", "Name of the model; that of the host's settings when absent."),
    formField("session", "text", "Name of the session, which is handed on; a new one when absent.", { editor: "expression" }),
  ],
  read: (reader) => ({
    agent: reader.text("agent", { required: true, instead: "write the name of an agent" }),
    message: reader.template("message", "string"),
    session: reader.optionalTemplate("session", "string"),
    context: reader.inputs("context"),
    settings: {
      instructions: reader.optionalTemplate("instructions", "string"),
      schema: reader.optionalTemplate("schema", { record: {} }),
      model: reader.optionalTemplate("model", "string"),
    },
  }),
  output: () => ({ record: { message: "string", session: "string", output: "any" } }),
  resolve: ({ message, session, context, settings }, resolver) => {
    const id = session === null ? null : resolver.value(session).json;
    return {
      session: typeof id === "string" ? id : null,
      input: recordValue({ message: resolver.value(message), context: resolver.value(context), ...given(settings, resolver) }),
    };
  },
  execute: ({ session, input }, { agent }) => ({ kind: "call", call: { kind: "agent", agent, session, input } }),
});

function given(settings: Readonly<Record<string, Template | null>>, resolver: Resolver) {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, template]) => (template === null ? [] : [[name, resolver.value(template)] as const])),
  );
}

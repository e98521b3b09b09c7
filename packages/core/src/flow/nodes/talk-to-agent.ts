/** Sends a message to an agent and waits for its answer. */
import { defineNode } from "../node-type.ts";
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
    formField("session", "text", "Session that goes on; a new one when absent.", { editor: "expression" }),
    formField("context", "struct", "Values that the agent may use.", { editor: "expression" }),
  ],
  read: (reader) => ({
    agent: reader.text("agent", { required: true, instead: "write the name of an agent" }),
    message: reader.template("message", "string"),
    session: reader.optionalTemplate("session", "string"),
    context: reader.inputs("context"),
  }),
  output: () => ({ record: { message: "string", session: "string", output: "any" } }),
  resolve: ({ message, session, context }, resolver) => {
    const id = session === null ? null : resolver.value(session).json;
    return {
      session: typeof id === "string" ? id : null,
      input: recordValue({ message: resolver.value(message), context: resolver.value(context) }),
    };
  },
  execute: ({ session, input }, { agent }) => ({ kind: "call", call: { kind: "agent", agent, session, input } }),
});

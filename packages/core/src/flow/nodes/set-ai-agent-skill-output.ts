/** Answers the agent that called the flow as a skill. The run goes on. */
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const setAiAgentSkillOutput = defineNode({
  type: "set_ai_agent_skill_output",
  title: "Set AI agent skill output",
  description: "Answers the agent that called the flow; later steps still run.",
  category: "control",
  fields: [formField("output", "struct", "What the agent gets.", { required: true, editor: "expression" })],
  read: (reader) => ({ output: reader.template("output") }),
  output: () => "any",
  resolve: ({ output }, resolver) => resolver.value(output),
  execute: (output) => ({ kind: "reply", output }),
});

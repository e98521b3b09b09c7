/** Python that is written in the flow, under the policy of inline code. */
import { defineNode } from "../node-type.ts";
import { CODE_FIELDS, readCode } from "./inline-code.ts";

export const code = defineNode({
  type: "code",
  aliases: ["execute_code", "invoke_code"],
  title: "Code",
  description: "Runs Python; what it returns is the output.",
  category: "call",
  fields: CODE_FIELDS,
  read: (reader) => readCode(reader, "python"),
  output: () => "any",
  resolve: ({ input }, resolver) => resolver.value(input),
  execute: (input, { mode }, { node }) => ({ kind: "call", call: { kind: "inline", language: "python", node, mode, input } }),
});

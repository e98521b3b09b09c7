/** JavaScript that is written in the flow and sees the run as `workflow`. */
import { defineNode } from "../node-type.ts";
import { CODE_FIELDS, readCode } from "./inline-code.ts";

export const script = defineNode({
  type: "script",
  title: "Script",
  description: "Runs JavaScript; what it returns is the output.",
  category: "call",
  fields: CODE_FIELDS,
  read: (reader) => readCode(reader, "javascript"),
  output: () => "any",
  resolve: ({ input }, resolver) => resolver.value(input),
  execute: (input, { mode }, { node }) => ({ kind: "call", call: { kind: "inline", language: "javascript", node, mode, input } }),
});

/** Ends the run with a result, from any chain. */
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const returnNode = defineNode({
  type: "return",
  title: "Return",
  description: "Ends the run with a result.",
  category: "control",
  fields: [formField("output", "struct", "The result; null when absent.", { editor: "expression" })],
  read: (reader) => ({ output: reader.optionalTemplate("output") }),
  output: () => "null",
  resolve: ({ output }, resolver) => (output === null ? { json: null } : resolver.value(output)),
  execute: (output) => ({ kind: "return", output }),
});

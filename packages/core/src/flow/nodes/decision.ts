/** Goes one of two ways. */
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const decision = defineNode({
  type: "decision",
  aliases: ["if_else"],
  title: "Decision",
  description: "Goes one way where a condition holds and another where it does not.",
  category: "control",
  fields: [
    formField("when", "text", "The condition.", { required: true, editor: "condition" }),
    formField("then", "text", "Node where it holds; the next one when absent.", { editor: "node" }),
    formField("else", "text", "Node where it does not hold; the next one when absent.", { editor: "node" }),
  ],
  read: (reader) => ({ when: reader.condition("when"), yes: reader.pointer("then"), no: reader.pointer("else") }),
  output: () => ({ record: { result: "boolean" } }),
  resolve: ({ when }, resolver) => resolver.value(when).json === true,
  execute: (result, { yes, no }) => {
    const to = result ? yes : no;
    return { kind: "output", output: { json: { result } }, ...(to === null ? {} : { next: to }) };
  },
});

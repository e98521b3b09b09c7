/** Goes back to an earlier node, a bounded number of times. */
import { limit } from "../../limits.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const goBack = defineNode({
  type: "go_back",
  title: "Go back",
  description: "Goes back to an earlier node of its chain or of one around it.",
  category: "control",
  fields: [
    formField("to", "text", "The node.", { required: true, editor: "node" }),
    formField("times", "int", `How often; ${limit("flowGoBacks")} when absent.`),
    formField("whenSpent", "enum", "What then: `fail`, or `continue` with the next node.", { choices: ["fail", "continue"] }),
  ],
  read: (reader) => ({
    to: reader.backPointer("to"),
    times: reader.number("times", { min: 1, max: limit("flowGoBacksMax") }) ?? limit("flowGoBacks"),
    whenSpent: reader.choice("whenSpent", ["fail", "continue"], "fail"),
  }),
  output: () => ({ record: { times: "number" } }),
  resolve: () => null,
  execute: (_, { to, times, whenSpent }) => ({ kind: "goBack", to, times, whenSpent }),
});

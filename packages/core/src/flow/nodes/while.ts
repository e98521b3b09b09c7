/** Runs a chain as long as a condition holds. */
import { limit } from "../../limits.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const whileLoop = defineNode({
  type: "while",
  title: "While",
  description: "Runs its body as long as a condition holds, a bounded number of times.",
  category: "control",
  fields: [
    formField("when", "text", "The condition, looked at before each iteration; `index` counts from 0.", {
      required: true,
      editor: "condition",
    }),
    formField("body", "text", "First node of the body.", { editor: "chain" }),
    formField("iterationsMax", "int", `The node fails after so many; ${limit("flowIterations")} when absent.`),
  ],
  read: (reader) => {
    reader.chain("body", "body");
    return {
      when: reader.loopCondition("when"),
      iterationsMax: reader.number("iterationsMax", { min: 1, max: limit("flowIterationsMax") }) ?? limit("flowIterations"),
    };
  },
  output: () => ({ record: { iterations: "number" } }),
  item: () => "null",
  decidesInside: true,
  resolve: ({ when }, resolver) => resolver.value(when).json === true,
  execute: (again, { iterationsMax }) => ({ kind: "while", again, iterationsMax }),
});

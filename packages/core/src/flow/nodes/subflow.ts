/** Runs another flow. */
import { didYouMean } from "../../manifest/near-miss.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const subflow = defineNode({
  type: "subflow",
  title: "Subflow",
  description: "Starts another flow and hands on its result.",
  category: "call",
  fields: [
    formField("flow", "text", "Name of the flow.", { required: true, editor: "flow" }),
    formField("input", "struct", "What it sees as `trigger`.", { editor: "expression" }),
    formField("wait", "bool", "Whether the step ends with that run; true when absent. Else it ends when that run has begun."),
  ],
  read: (reader) => {
    const flow = reader.text("flow", { required: true, instead: "write the name of a flow" });
    if (flow !== "" && reader.catalogue !== null && reader.catalogue.flow(flow) === undefined) {
      reader.error("flow", `names \`${flow}\`, which is no flow here.${didYouMean(flow, reader.catalogue.flowNames())}`);
    }
    return { flow, awaited: reader.boolean("wait", true), input: reader.inputs("input") };
  },
  output: ({ flow, awaited }, catalogue) => (awaited ? (catalogue?.flow(flow)?.output ?? "any") : { record: { run: "string" } }),
  resolve: ({ input }, resolver) => resolver.value(input),
  execute: (input, { flow, awaited }) => ({ kind: "call", call: { kind: "subflow", flow, awaited, input } }),
});

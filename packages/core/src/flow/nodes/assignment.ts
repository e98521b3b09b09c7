/** Sets variables of the run. */
import { defineNode } from "../node-type.ts";
import type { FlowValue } from "../value.ts";
import { formField } from "./form-fields.ts";

export const assignment = defineNode({
  type: "assignment",
  aliases: ["set_variable"],
  title: "Assignment",
  description: "Sets variables of the run, which every later step sees as `vars`.",
  category: "control",
  fields: [formField("values", "struct", "Values by the names of variables.", { required: true, editor: "expression" })],
  read: (reader) => {
    const values = reader.jsonObject("values");
    const inner = reader.inner(values, reader.at("values"));
    const names = Object.keys(values);
    if (names.length === 0) reader.error("values", "is empty; write the variables that are set.");
    const read = names.map((name) => {
      const type = reader.variables[name];
      if (type === undefined) inner.error(name, "is no variable of the flow; declare it under `variables`.");
      return [name, inner.template(name, type ?? "any")] as const;
    });
    return { values: read };
  },
  output: () => "any",
  resolve: ({ values }, resolver): Readonly<Record<string, FlowValue>> =>
    Object.fromEntries(values.map(([name, template]) => [name, resolver.value(template)])),
  execute: (values) => ({ kind: "assign", values }),
});

/** Reads objects: an operation that changes nothing. Scripts find its result as `workflow.lookups.<node>`. */
import { defineNode } from "../node-type.ts";
import { outputTypeOf } from "../port-types.ts";
import { formField } from "./form-fields.ts";
import { readOperation } from "./operation-input.ts";

export const lookup = defineNode({
  type: "lookup",
  title: "Lookup",
  description: "Reads one object or a list of them.",
  category: "call",
  fields: [
    formField("operation", "text", "Slug of a reading operation, such as `get_account`.", { required: true, editor: "operation" }),
    formField("input", "struct", "Inputs by name; each may be an expression.", { editor: "expression" }),
  ],
  read: (reader) => {
    const data = readOperation(reader, { isReading: true });
    const known = reader.catalogue?.operation(data.operation);
    if (known !== undefined && known.effect !== "read") {
      reader.error("operation", `names \`${data.operation}\`, which changes something; use an action node for it.`);
    }
    return data;
  },
  output: ({ operation }, catalogue) => {
    const known = catalogue?.operation(operation);
    return known === undefined ? "any" : outputTypeOf(known);
  },
  resolve: ({ input }, resolver) => resolver.value(input),
  execute: (input, { operation }) => ({ kind: "call", call: { kind: "operation", operation, input } }),
});

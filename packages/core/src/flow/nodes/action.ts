/** Runs an operation: one of an object, of a package, of a functions folder, or of Plinth. */
import { defineNode } from "../node-type.ts";
import { outputTypeOf } from "../port-types.ts";
import { formField } from "./form-fields.ts";
import { LATER_FIELD, resolveLater } from "./later.ts";
import { OPEN_FIELD, opening } from "./open.ts";
import { readOperation } from "./operation-input.ts";

export const action = defineNode({
  type: "action",
  title: "Action",
  description: "Runs an operation and hands on what it gives.",
  category: "call",
  fields: [
    formField("operation", "text", "Slug of the operation, or `<namespace>/<slug>`.", { required: true, editor: "operation" }),
    formField("input", "struct", "Inputs by name; each may be an expression.", { editor: "expression" }),
    LATER_FIELD,
    OPEN_FIELD,
  ],
  read: (reader) => readOperation(reader),
  output: ({ operation }, catalogue) => {
    const known = catalogue?.operation(operation);
    return known === undefined ? "any" : outputTypeOf(known);
  },
  resolve: ({ input, later }, resolver) => ({ input: resolver.value(input), ...resolveLater(later, resolver) }),
  execute: (inputs, { operation, open }) => ({ kind: "call", call: { kind: "operation", operation, ...inputs, ...opening(open) } }),
});

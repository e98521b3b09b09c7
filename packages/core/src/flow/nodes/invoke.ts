/** Runs a function or an operation by name. */
import { didYouMean } from "../../manifest/near-miss.ts";
import { defineNode } from "../node-type.ts";
import { outputTypeOf } from "../port-types.ts";
import { formField } from "./form-fields.ts";
import { LATER_FIELD, readLater, resolveLater } from "./later.ts";
import { OPEN_FIELD, opening, readOpen } from "./open.ts";
import { readOperation } from "./operation-input.ts";

export const invoke = defineNode({
  type: "invoke",
  title: "Invoke",
  description: "Runs a function or an operation.",
  category: "call",
  fields: [
    formField("function", "text", "Path of a function: `dir/module:export` or `@package/function`.", { editor: "function" }),
    formField("operation", "text", "Slug of an operation, in place of a function.", { editor: "operation" }),
    formField("input", "struct", "Arguments by name; each may be an expression.", { editor: "expression" }),
    LATER_FIELD,
    OPEN_FIELD,
  ],
  read: (reader) => {
    const path = reader.optionalText("function");
    if (path === null && reader.has("operation")) return { path: null, ...readOperation(reader) };
    if (path === null) reader.error("function", "is missing; write the path of a function, or `operation` with the slug of an operation.");
    if (reader.has("operation")) reader.error("operation", "stands beside `function`; write one of the two.");
    if (path !== null && reader.catalogue !== null && reader.catalogue.function(path) === undefined) {
      reader.error("function", `names \`${path}\`, which is no function here.${didYouMean(path, reader.catalogue.functionPaths())}`);
    }
    const kind = path === null ? undefined : reader.catalogue?.function(path)?.kind;
    const isTransaction = kind === "query" || kind === "mutation";
    const later = readLater(reader, isTransaction ? `a ${kind} has its result at once` : null);
    const input = reader.inputs("input");
    const open = readOpen(reader, input, isTransaction ? `a ${kind} reads nothing by pieces` : null);
    return { path: path ?? "", operation: null, input, later, open };
  },
  output: ({ path, operation }, catalogue) => {
    if (path !== null) return catalogue?.function(path)?.output ?? "any";
    const known = catalogue?.operation(operation);
    return known === undefined ? "any" : outputTypeOf(known);
  },
  resolve: ({ input, later }, resolver) => ({ input: resolver.value(input), ...resolveLater(later, resolver) }),
  execute: (inputs, { path, operation, open }) => ({
    kind: "call",
    call:
      path === null
        ? { kind: "operation", operation, ...inputs, ...opening(open) }
        : { kind: "function", path, ...inputs, ...opening(open) },
  }),
});

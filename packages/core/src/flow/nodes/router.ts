/** Goes the way of the first case that holds. */
import { isObject } from "../../manifest/object-reader.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

export const router = defineNode({
  type: "router",
  title: "Router",
  description: "Goes the way of the first case whose condition holds.",
  category: "control",
  fields: [
    formField("cases", "array", "In order: `when`, a condition, `to`, a node, and a `name`.", { required: true, editor: "list" }),
    formField("otherwise", "text", "Node when no case holds; the next one when absent.", { editor: "node" }),
  ],
  read: (reader) => {
    const cases = reader.list("cases", "flowCasesMax", (item, path) => {
      const inner = reader.inner(isObject(item) ? item : {}, path);
      const read = { name: inner.label("name"), when: inner.condition("when"), to: inner.pointer("to") };
      inner.end();
      reader.addPointers(inner.pointers);
      return read;
    });
    if (reader.isEmpty("cases")) reader.error("cases", "is empty; write at least one case with `when` and `to`.");
    return { cases, otherwise: reader.pointer("otherwise") };
  },
  output: () => ({ record: { index: "number", name: "string" } }),
  resolve: ({ cases }, resolver) => cases.findIndex(({ when }) => resolver.value(when).json === true),
  execute: (index, { cases, otherwise }) => {
    const chosen = cases[index];
    const to = chosen === undefined ? otherwise : chosen.to;
    const output = { json: { index, name: chosen?.name ?? "" } };
    return { kind: "output", output, ...(to === null ? {} : { next: to }) };
  },
});

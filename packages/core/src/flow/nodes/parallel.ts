/** Runs several chains at the same time. */
import { isObject } from "../../manifest/object-reader.ts";
import { defineNode } from "../node-type.ts";
import { formField } from "./form-fields.ts";

const NAME = /^[a-z][a-zA-Z0-9_]{0,63}$/;

export const parallel = defineNode({
  type: "parallel",
  title: "Parallel",
  description: "Runs its branches at the same time and goes on when all of them, or the first, have ended.",
  category: "control",
  fields: [
    formField("branches", "array", "Each with a `name` and `start`, its first node.", { required: true, editor: "list" }),
    formField("join", "enum", "`all` waits for every branch; `any` for the first that succeeds, and cancels the others.", {
      choices: ["all", "any"],
    }),
  ],
  read: (reader) => {
    const names = reader.list("branches", "flowBranchesMax", (item, path) => {
      const inner = reader.inner(isObject(item) ? item : {}, path);
      const name = inner.text("name", { required: true, pattern: NAME, instead: "write a name of letters, digits and underscores" });
      const start = inner.optionalText("start", { instead: "write the id of a node" });
      inner.end();
      reader.addChain({ name, path: inner.at("start"), start });
      return name;
    });
    if (names.length === 0) reader.error("branches", "is empty; write at least one branch.");
    if (new Set(names).size < names.length) reader.error("branches", "has two branches of one name; rename one.");
    return { names, join: reader.choice("join", ["all", "any"], "all") };
  },
  output: ({ names }) => ({ record: Object.fromEntries(names.map((name) => [name, "any"] as const)) }),
  resolve: () => null,
  execute: (_, { join }) => ({ kind: "branches", join }),
});

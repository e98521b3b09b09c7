/** Runs a chain for each item of a list, several at a time, and collects what they give. */
import { limit } from "../../limits.ts";
import { StepFailure } from "../flow-error.ts";
import { defineNode } from "../node-type.ts";
import type { ValueType } from "../definition.ts";
import { isList } from "../value.ts";
import type { Template } from "../template.ts";
import { formField } from "./form-fields.ts";

export const forEach = defineNode({
  type: "for_each",
  title: "For each",
  description: "Runs its body for each item of a list.",
  category: "control",
  fields: [
    formField("items", "array", "The list.", { required: true, editor: "expression" }),
    formField("body", "text", "First node of the body; it sees `item` and `index`.", { editor: "chain" }),
    formField("concurrency", "int", "Items that run at the same time; 1 when absent."),
    formField("collect", "struct", "What an item gives to `results`; the output of its last step when absent.", { editor: "expression" }),
    formField("onItemError", "enum", "`stop` fails the node; `collect` goes on and lists the failure under `failed`.", {
      choices: ["stop", "collect"],
    }),
  ],
  read: (reader) => {
    reader.chain("body", "body");
    return {
      items: reader.template("items", { list: "any" }),
      concurrency: reader.number("concurrency", { min: 1, max: limit("flowConcurrencyMax") }) ?? 1,
      collect: reader.innerTemplate("collect"),
      stopsAtFailure: reader.choice("onItemError", ["stop", "collect"], "stop") === "stop",
    };
  },
  output: () => ({
    record: {
      results: { list: "any" },
      failed: { list: { record: { index: "number", code: "string", message: "string" } } },
      count: "number",
    },
  }),
  item: ({ items }) => elementOf(items),
  collect: ({ collect }) => collect,
  resolve: ({ items }, resolver) => resolver.loaded(resolver.value(items), "`items`"),
  execute: (items, { concurrency, stopsAtFailure }) => {
    const { json } = items;
    if (!isList(json)) throw new StepFailure("invalid_input", "`items` is no list; write a list, or an expression that gives one.");
    const itemsMax = limit("flowItemsMax");
    if (json.length > itemsMax) {
      throw new StepFailure(
        "limit",
        `\`items\` has ${json.length} entries and may have ${itemsMax}; split the list into pages, one subflow for each.`,
      );
    }
    return { kind: "each", items, concurrency, stopsAtFailure };
  },
});

function elementOf(items: Template): ValueType {
  if (items.kind !== "expression") return "any";
  const { type } = items.expression;
  return typeof type === "object" && "list" in type ? type.list : "any";
}

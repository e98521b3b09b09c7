/** Kinds of fields that objects have, and how each is stored. */
import { v, type PropertyValidators } from "convex/values";

/**
 * - stage: `{name}`
 * - reference, references: other objects, written as their ids and stored with what is shown of them
 * - tags: `[{tag, value?}]`
 */
export type Kind = "text" | "number" | "boolean" | "texts" | "json" | "stage" | "reference" | "references" | "tags";

/** What is shown of an object where another one names it. */
export const summary = v.object({
  id: v.string(),
  type: v.optional(v.string()),
  display_id: v.optional(v.string()),
  display_name: v.optional(v.string()),
  full_name: v.optional(v.string()),
  name: v.optional(v.string()),
  email: v.optional(v.string()),
});

const VALIDATORS = {
  text: v.optional(v.string()),
  number: v.optional(v.number()),
  boolean: v.optional(v.boolean()),
  texts: v.optional(v.array(v.string())),
  json: v.optional(v.any()),
  stage: v.optional(v.object({ name: v.string() })),
  reference: v.optional(summary),
  references: v.optional(v.array(summary)),
  tags: v.optional(v.array(v.object({ tag: summary, value: v.optional(v.string()) }))),
} satisfies Record<Kind, unknown>;

export function validatorsOf(fields: Readonly<Record<string, Kind>>): PropertyValidators {
  return Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, VALIDATORS[kind]]));
}

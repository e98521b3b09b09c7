import { defineSchema, defineTable } from "convex/server";
import { v, type PropertyValidators } from "convex/values";
import { summary, validatorsOf, type Kind } from "./model/kinds.ts";
import { OBJECTS } from "./model/objects.ts";

/** What every object has. Dates are ISO 8601 texts; `seq` grows with each object of a table. */
const COMMON = {
  id: v.string(),
  display_id: v.string(),
  type: v.optional(v.string()),
  seq: v.number(),
  created_by: summary,
  created_date: v.string(),
  modified_by: summary,
  modified_date: v.string(),
  custom_fields: v.optional(v.any()),
};

function tableOf(fields: Readonly<Record<string, Kind>>) {
  const validators: PropertyValidators = { ...COMMON, ...validatorsOf(fields) };
  return defineTable(validators).index("by_don", ["id"]).index("by_display_id", ["display_id"]).index("by_seq", ["seq"]);
}

const tables = Object.fromEntries(Object.values(OBJECTS).map(({ table, fields }) => [table, tableOf(fields)]));

export default defineSchema({
  ...tables,
  timeline_entries: tableOf(OBJECTS.timeline_entries.fields).index("by_object", ["object", "seq"]),
  dev_users: tableOf(OBJECTS.dev_users.fields).index("by_email", ["email"]),
  rev_users: tableOf(OBJECTS.rev_users.fields).index("by_email", ["email"]),
  survey_responses: tableOf(OBJECTS.survey_responses.fields).index("by_object", ["object", "seq"]),
  schema_fragments: tableOf(OBJECTS.schema_fragments.fields).index("by_leaf_type", ["leaf_type"]),
  links: tableOf(OBJECTS.links.fields).index("by_source", ["source.id", "seq"]).index("by_target", ["target.id", "seq"]),
  group_members: tableOf(OBJECTS.group_members.fields).index("by_group", ["group.id", "seq"]),
  /** The last number given, by prefix. */
  sequences: defineTable({ name: v.string(), last: v.number() }).index("by_name", ["name"]),
});

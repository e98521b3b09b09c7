/** Fragments of schemas: the fields that an organisation, or an app, adds to a type of objects. */
import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, idOf, refuse, text, type Args } from "../model/call.ts";
import { list } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { change, insert, isRecord, mustFind, shown, type Stored } from "../model/store.ts";

const SPEC = OBJECTS.schema_fragments;
const TYPES = ["tenant_fragment", "app_fragment", "custom_type_fragment"];

/** `{type, leaf_type, subtype?, app?, fields, …}` → `{id}`: what there is of this type is replaced. */
export const customSet = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const type = text(args, "type");
    if (!TYPES.includes(type)) throw refuse(400, `\`type\` must be one of ${TYPES.join(", ")}.`);
    const leafType = text(args, "leaf_type");
    mustBeFields(args["fields"] ?? []);
    const before = await ctx.db
      .query(SPEC.table)
      .withIndex("by_leaf_type", (q) => q.eq("leaf_type", leafType))
      .collect();
    const found = (before as unknown as readonly Stored[]).find(
      (row) => row.type === type && same(row, args, "subtype") && same(row, args, "app"),
    );
    const fields = { fields: [], ...args };
    const stored =
      found === undefined ? await insert(ctx, SPEC, { args: fields, caller }) : await change(ctx, SPEC, { found, args: fields, caller });
    return { id: stored.id };
  },
});

/** `{id}` → `{fragment}` */
export const customGet = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => ({ fragment: shown(await mustFind(ctx, SPEC, idOf(args))) }),
});

/** `{types?, leaf_type?, subtype?, app?}` → `{result}` */
export const customList = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => {
    const { types, ...rest } = args;
    const { items, next, previous } = await list(ctx, SPEC, types === undefined ? rest : { ...rest, type: types });
    return {
      result: items,
      ...(next === null ? {} : { next_cursor: next }),
      ...(previous === null ? {} : { prev_cursor: previous }),
    };
  },
});

function same(row: Stored, args: Args, name: string): boolean {
  return (row[name] ?? null) === (args[name] ?? null);
}

function mustBeFields(given: unknown): void {
  const isList =
    Array.isArray(given) && given.every((field) => isRecord(field) && typeof field["name"] === "string" && field["name"] !== "");
  if (!isList) throw refuse(400, "`fields` must be a list of `{name, field_type, …}`.");
}

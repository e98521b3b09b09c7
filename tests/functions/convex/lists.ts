import {
  mutationGeneric,
  queryGeneric,
  type GenericMutationCtx,
  type GenericQueryCtx,
  type DataModelFromSchemaDefinition,
} from "convex/server";
import { v } from "convex/values";
import type schema from "./schema.js";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
type Ctx = Pick<GenericMutationCtx<DataModel>, "db">;
type ReadCtx = Pick<GenericQueryCtx<DataModel>, "db">;

const operation = v.object({ kind: v.union(v.literal("append"), v.literal("read")), key: v.string(), value: v.optional(v.number()) });

/**
 * Runs appends and reads of one transaction and returns what each read saw. A list is one document (`document`), or one
 * document per element that is found by an index range (`range`), so that phantoms would show too.
 */
export const transact = mutationGeneric({
  args: { history: v.string(), form: v.union(v.literal("document"), v.literal("range")), operations: v.array(operation) },
  handler: async (ctx, { history, form, operations }) => {
    const list = form === "document" ? documentList : rangeList;
    const reads: { key: string; values: number[] }[] = [];
    for (const { kind, key, value } of operations) {
      if (kind === "append") await list.append(ctx, { history, key, value: value ?? 0 });
      else reads.push({ key, values: await list.read(ctx, { history, key }) });
    }
    return reads;
  },
});

/** The same reads in a query. */
export const read = queryGeneric({
  args: { history: v.string(), form: v.union(v.literal("document"), v.literal("range")), keys: v.array(v.string()) },
  handler: async (ctx, { history, form, keys }) => {
    const list = form === "document" ? documentList : rangeList;
    const reads: { key: string; values: number[] }[] = [];
    for (const key of keys) reads.push({ key, values: await list.read(ctx, { history, key }) });
    return reads;
  },
});

interface Place {
  readonly history: string;
  readonly key: string;
}

const documentList = {
  async append({ db }: Ctx, { history, key, value }: Place & { readonly value: number }) {
    const list = await db
      .query("lists")
      .withIndex("by_key", (q) => q.eq("history", history).eq("key", key))
      .unique();
    if (list === null) await db.insert("lists", { history, key, values: [value] });
    else await db.patch(list._id, { values: [...list.values, value] });
  },
  async read({ db }: ReadCtx, { history, key }: Place) {
    const list = await db
      .query("lists")
      .withIndex("by_key", (q) => q.eq("history", history).eq("key", key))
      .unique();
    return list?.values ?? [];
  },
};

const rangeList = {
  async append({ db }: Ctx, { history, key, value }: Place & { readonly value: number }) {
    const last = await db
      .query("elements")
      .withIndex("by_key", (q) => q.eq("history", history).eq("key", key))
      .order("desc")
      .first();
    await db.insert("elements", { history, key, value, position: (last?.position ?? -1) + 1 });
  },
  async read({ db }: ReadCtx, { history, key }: Place) {
    const elements = await db
      .query("elements")
      .withIndex("by_key", (q) => q.eq("history", history).eq("key", key))
      .collect();
    return elements.map(({ value }) => value);
  },
};

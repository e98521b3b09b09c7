import {
  internalMutationGeneric,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
  type DataModelFromSchemaDefinition,
  type GenericMutationCtx,
} from "convex/server";
import { v } from "convex/values";
import type schema from "./schema.js";

type Ctx = Pick<GenericMutationCtx<DataModelFromSchemaDefinition<typeof schema>>, "db">;

/** Inserts a row and counts it, in one transaction. The same client and seq a second time is an error that tests look for. */
export const add = mutationGeneric({
  args: { client: v.string(), seq: v.number(), text: v.string() },
  returns: v.null(),
  handler: async (ctx, { client, seq, text }) => {
    await ctx.db.insert("rows", { client, seq, text });
    await count(ctx, client);
    return null;
  },
});

/** Schedules `add` for now; what is scheduled must happen exactly once. */
export const addLater = mutationGeneric({
  args: { client: v.string(), seq: v.number(), text: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await ctx.scheduler.runAfter(0, makeFunctionReference<"mutation">("rows:addScheduled"), args);
    return null;
  },
});

export const addScheduled = internalMutationGeneric({
  args: { client: v.string(), seq: v.number(), text: v.string() },
  handler: async (ctx, { client, seq, text }) => {
    await ctx.db.insert("rows", { client, seq, text });
    await count(ctx, client);
  },
});

async function count(ctx: Ctx, name: string) {
  const counter = await ctx.db
    .query("counters")
    .withIndex("by_name", (q) => q.eq("name", name))
    .unique();
  if (counter === null) await ctx.db.insert("counters", { name, count: 1 });
  else await ctx.db.patch(counter._id, { count: counter.count + 1 });
}

/** Removes the rows of a client, so that later audits scan what is new only. */
export const forget = mutationGeneric({
  args: { client: v.string() },
  returns: v.null(),
  handler: async (ctx, { client }) => {
    for await (const row of ctx.db.query("rows").withIndex("by_client", (q) => q.eq("client", client))) await ctx.db.delete(row._id);
    return null;
  },
});

/** Rows of a client as three ways of reading them see them. */
export const audit = queryGeneric({
  args: { client: v.string() },
  handler: async (ctx, { client }) => {
    const byIndex = await ctx.db
      .query("rows")
      .withIndex("by_client", (q) => q.eq("client", client))
      .collect();
    const byScan = await ctx.db
      .query("rows")
      .filter((q) => q.eq(q.field("client"), client))
      .collect();
    const byText = await ctx.db.query("rows").withIndex("by_text").collect();
    const counter = await ctx.db
      .query("counters")
      .withIndex("by_name", (q) => q.eq("name", client))
      .unique();
    return {
      seqs: byIndex.map(({ seq }) => seq),
      scanned: byScan.map(({ seq }) => seq).sort((a, b) => a - b),
      texts: byText.filter((row) => row.client === client).length,
      count: counter?.count ?? 0,
    };
  },
});

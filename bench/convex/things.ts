import { mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

/** One document by its id. */
export const get = queryGeneric({
  args: { id: v.id("things") },
  handler: async (ctx, { id }) => await ctx.db.get(id),
});

/** One read and one insert. */
export const readAndInsert = mutationGeneric({
  args: { id: v.id("things"), text: v.string() },
  handler: async (ctx, { id, text }) => {
    const thing = await ctx.db.get(id);
    return await ctx.db.insert("things", { text, rank: (thing?.rank ?? 0) + 1 });
  },
});

export const insert = mutationGeneric({
  args: { text: v.string() },
  handler: async (ctx, { text }) => await ctx.db.insert("things", { text, rank: 0 }),
});

/** A change that somebody may listen to. */
export const setRank = mutationGeneric({
  args: { id: v.id("things"), rank: v.number() },
  handler: async (ctx, { id, rank }) => {
    await ctx.db.patch(id, { rank });
    return null;
  },
});

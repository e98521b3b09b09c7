import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

export const add = mutationGeneric({ args: { text: v.string() }, handler: async ({ db }, { text }) => await db.insert("notes", { text }) });

export const remove = mutationGeneric({
  args: { id: v.id("notes") },
  handler: async ({ db }, { id }) => {
    await db.delete(id);
    return null;
  },
});

export const list = queryGeneric({
  args: {},
  handler: async ({ db }) => (await db.query("notes").collect()).map(({ text }) => text as string),
});

export const fail = actionGeneric({
  args: {},
  handler: async () => {
    throw new Error("no");
  },
});

export const pause = actionGeneric({
  args: { ms: v.number() },
  handler: async (_ctx, { ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return null;
  },
});

import { actionGeneric, createFunctionHandle, internalMutationGeneric, mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

/** Replaced in the bundle of each branch, so that every answer says whose code gave it. */
const CODE = "code-of-nobody";

export const list = queryGeneric({
  args: {},
  handler: async (ctx) => {
    const notes = await ctx.db.query("notes").collect();
    return { code: CODE, variable: process.env["WHERE"] ?? null, texts: notes.map((note) => note.text as string) };
  },
});

export const add = mutationGeneric({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    console.log(CODE, "adds", text);
    await ctx.db.insert("notes", { text });
    return { code: CODE };
  },
});

export const addLater = mutationGeneric({
  args: { text: v.string(), delayMs: v.number() },
  handler: async (ctx, args) => await ctx.scheduler.runAfter(args.delayMs, "notes:addInside" as never, { text: args.text } as never),
});

export const addInside = internalMutationGeneric({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.db.insert("notes", { text });
  },
});

export const handle = actionGeneric({ args: {}, handler: async () => await createFunctionHandle("notes:list" as never) });

export const callHandle = actionGeneric({
  args: { handle: v.string() },
  handler: async (ctx, { handle }) => await ctx.runQuery(handle as never, {} as never),
});

export const pause = actionGeneric({
  args: { ms: v.number() },
  handler: async (_ctx, { ms }) => {
    console.log(CODE, "pauses");
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { code: CODE };
  },
});

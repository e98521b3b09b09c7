import { mutationGeneric as mutation, queryGeneric as query, internalMutationGeneric as internalMutation } from "convex/server";
import { ConvexError, v } from "convex/values";

export const add = mutation({
  args: { name: v.string(), by: v.number() },
  returns: v.number(),
  handler: async (ctx, { name, by }) => {
    const row = await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", name)).unique();
    const value = (row?.value ?? 0) + by;
    if (row === null) await ctx.db.insert("counters", { name, value });
    else await ctx.db.patch(row._id, { value });
    return value;
  },
});

export const get = query({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    console.log(`reading ${name}`);
    return (await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", name)).unique())?.value ?? null;
  },
});

export const now = query({ args: {}, handler: async () => Date.now() });
export const random = query({ args: {}, handler: async () => Math.random() });
export const whoAmI = query({ args: {}, handler: async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null });
export const env = query({ args: {}, handler: async () => process.env["COLOUR"] ?? null });

export const write = internalMutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.db.insert("log", { text });
    if (text === "fail") throw new ConvexError({ reason: "asked to" });
    if (text === "throw") throw new Error("boom");
    return text;
  },
});

export const texts = query({ args: {}, handler: async (ctx) => (await ctx.db.query("log").collect()).map((row) => row["text"]) });

/** Writes once itself and through callees; a failing callee is caught. */
export const nested = mutation({
  args: { texts: v.array(v.string()), catch: v.boolean() },
  handler: async (ctx, args) => {
    await ctx.db.insert("log", { text: "parent" });
    const results: string[] = [];
    for (const text of args.texts) {
      try {
        results.push(await ctx.runMutation("counters:write" as never, { text } as never));
      } catch (error) {
        if (!args.catch) throw error;
        results.push(error instanceof ConvexError ? `caught ${error.data.reason}` : `caught ${(error as Error).message.split("\n")[0]}`);
      }
    }
    return results;
  },
});

export const deep = mutation({
  args: { depth: v.number() },
  handler: async (ctx, { depth }): Promise<number> => (depth === 0 ? 0 : 1 + (await ctx.runMutation("counters:deep" as never, { depth: depth - 1 } as never))),
});

export const floating = mutation({
  args: {},
  handler: async (ctx) => {
    void ctx.db.insert("log", { text: "floating 1" });
    void ctx.runMutation("counters:write" as never, { text: "floating 2" } as never).catch(() => {});
    return "done";
  },
});

export const queryThatWrites = query({ args: {}, handler: async (ctx) => await (ctx.db as never as { insert(table: string, value: unknown): Promise<string> }).insert("log", { text: "no" }) });
export const badReturn = mutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    await ctx.db.insert("log", { text: "must not stay" });
    return "text" as never;
  },
});
export const spin = mutation({ args: {}, handler: async () => { for (;;) { /* forever */ } } });
export const never = mutation({ args: {}, handler: async () => await new Promise(() => {}) });
export const fail = mutation({ args: {}, handler: async () => { throw new Error("boom \u001b[31m"); } });
export const failWithData = mutation({ args: {}, handler: async () => { throw new ConvexError({ code: 7n }); } });
export const metrics = mutation({
  args: {},
  handler: async (ctx) => {
    await ctx.db.insert("log", { text: "one" });
    return await (ctx as never as { meta: { getTransactionMetrics(): Promise<unknown> } }).meta.getTransactionMetrics();
  },
});

/** Reads many times before it writes, so that something can happen to it meanwhile. */
export const addSlowly = mutation({
  args: { name: v.string(), by: v.number(), rounds: v.number() },
  handler: async (ctx, { name, by, rounds }) => {
    for (let round = 0; round < rounds; round++) await ctx.db.query("counters").withIndex("by_name", (q) => q.eq("name", `${name} ${round}`)).first();
    await ctx.db.insert("counters", { name, value: by });
    return by;
  },
});

import { actionGeneric as action, createFunctionHandle, internalActionGeneric as internalAction, internalMutationGeneric as internalMutation, mutationGeneric as mutation, queryGeneric as query } from "convex/server";
import { v } from "convex/values";

export const scheduleWrite = mutation({
  args: { text: v.string(), delayMs: v.number(), fail: v.optional(v.boolean()) },
  handler: async (ctx, { text, delayMs, fail }) => {
    const id = await ctx.scheduler.runAfter(delayMs, "counters:write" as never, { text } as never);
    if (fail === true) throw new Error("undo");
    return id;
  },
});

export const scheduleAction = mutation({
  args: { text: v.string(), waitMs: v.number() },
  handler: async (ctx, args) => await ctx.scheduler.runAfter(0, "jobs:slowWrite" as never, args as never),
});

export const cancel = mutation({ args: { id: v.string() }, handler: async (ctx, { id }) => await ctx.scheduler.cancel(id as never) });

export const state = query({
  args: { id: v.string() },
  handler: async (ctx, { id }) => await ctx.db.system.get(id as never),
});

export const slowWrite = internalAction({
  args: { text: v.string(), waitMs: v.number() },
  handler: async (ctx, { text, waitMs }) => {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await ctx.runMutation("counters:write" as never, { text } as never);
    return text;
  },
});

export const wait = action({
  args: { ms: v.number() },
  handler: async (_, { ms }) => {
    console.log("waiting");
    await new Promise((resolve) => setTimeout(resolve, ms));
    return "waited";
  },
});

export const orchestrate = action({
  args: { name: v.string() },
  handler: async (ctx, { name }) => {
    await ctx.runMutation("counters:add" as never, { name, by: 2 } as never);
    await ctx.runAction("jobs:addAgain" as never, { name } as never);
    return await ctx.runQuery("counters:get" as never, { name } as never);
  },
});

export const addAgain = internalAction({
  args: { name: v.string() },
  handler: async (ctx, { name }) => await ctx.runMutation("counters:add" as never, { name, by: 3 } as never),
});

export const recurse = action({
  args: { depth: v.number() },
  handler: async (ctx, { depth }): Promise<number> => (depth === 0 ? 0 : 1 + (await ctx.runAction("jobs:recurse" as never, { depth: depth - 1 } as never))),
});

export const fanOut = action({
  args: { width: v.number() },
  handler: async (ctx, { width }) => {
    const results = await Promise.allSettled(Array.from({ length: width }, () => ctx.runAction("jobs:wait" as never, { ms: 50 } as never)));
    return results.map((each) => (each.status === "fulfilled" ? "ok" : (each.reason as Error).message));
  },
});

export const leaveBehind = action({
  args: {},
  handler: async (ctx) => {
    void ctx.runAction("jobs:wait" as never, { ms: 5000 } as never).catch(() => {});
    return "left";
  },
});

export const touchesDatabase = action({
  args: {},
  handler: async () => await (globalThis as never as { Convex: { asyncSyscall(op: string, arg: string): Promise<string> } }).Convex.asyncSyscall("1.0/insert", JSON.stringify({ table: "log", value: { text: "no" } })),
});

export const callHandle = action({
  args: {},
  handler: async (ctx) => {
    const handle = await createFunctionHandle("counters:get" as never);
    return [handle.startsWith("function://"), await ctx.runQuery(handle as never, { name: "handled" } as never)];
  },
});

export const tick = internalMutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.db.insert("log", { text });
  },
});

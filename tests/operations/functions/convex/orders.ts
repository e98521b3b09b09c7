import { operation, OperationError } from "@plinth/sdk";
import { internalMutationGeneric, internalQueryGeneric, makeFunctionReference } from "convex/server";
import { v } from "convex/values";
import * as valibot from "valibot";
import { z } from "zod";

export const add = internalMutationGeneric({
  args: { number: v.string(), total: v.number() },
  handler: async ({ db }, order) => await db.insert("orders", order),
});

export const total = internalQueryGeneric({
  args: { number: v.string() },
  handler: async ({ db }, { number }) =>
    (await db.query("orders").collect()).find((order) => order["number"] === number)?.["total"] ?? null,
});

const totalOf = makeFunctionReference<"query", { number: string }, number | null>("orders:total");

/** With validators, and with values that JSON does not have. */
export const findOrder = operation({
  displayName: "Find an order",
  description: "Finds an order by its number.",
  isAgentSkill: true,
  effect: "read",
  timeoutMs: 20_000,
  input: { number: v.string(), wanted: v.optional(v.int64()), note: v.optional(v.bytes()) },
  output: v.object({ total: v.number(), wanted: v.int64(), noteBytes: v.number() }),
  handler: async (ctx, { number, wanted = 1n, note }) => {
    const found = await ctx.runQuery(totalOf, { number });
    if (found === null) throw new OperationError(`There is no order ${number}.`);
    return { total: found, wanted: wanted * 2n, noteBytes: note?.byteLength ?? 0 };
  },
});

export const zodOrder = operation({
  slug: "zod_order",
  input: z.object({
    email: z.email(),
    lines: z.array(z.object({ sku: z.string().min(2), $count: z.int().default(1) })).min(1),
    note: z.string().trim().optional(),
  }),
  output: z.object({ lines: z.number(), first: z.object({ sku: z.string(), $count: z.number() }), note: z.string().nullable() }),
  handler: async (_, { lines, note }) => {
    const [first] = lines;
    if (first === undefined) throw new OperationError("There is no line.");
    if (first.sku === "bad") return { lines: Number.NaN, first, note: null };
    return { lines: lines.length, first, note: note ?? null };
  },
});

export const valibotOrder = operation({
  input: valibot.object({ number: valibot.pipe(valibot.string(), valibot.regex(/^A\d+$/, "A number begins with A.")) }),
  handler: async (_, { number }) => number.length,
});

export const double = operation({
  input: z.union([z.number(), z.string()]),
  output: v.string(),
  handler: async (_, value) => `${value}${value}`,
});

export const throws = operation({
  input: {},
  output: { n: v.number() },
  handler: async () => {
    throw new Error("It rains.");
  },
});

export const lies = operation({ input: {}, output: { n: v.number() }, handler: async () => ({ n: "text" }) as unknown as { n: number } });

export const dynamic = operation({
  input: v.any(),
  schema: async (_, { kind }) => ({
    input: kind === "late" ? { kind: v.string(), until: v.string() } : { kind: v.union(v.literal("late"), v.literal("early")) },
  }),
  handler: async (_, input) => ({ input }),
});

export const watch = operation({
  type: "trigger",
  input: { number: v.string() },
  activate: async (ctx, { number }) => {
    if ((await ctx.runQuery(totalOf, { number })) === null) throw new OperationError("There is no such order.");
  },
});

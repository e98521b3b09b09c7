/** Operations: nodes of workflows and skills of agents, declared beside the functions that they call. */
import { operation, OperationError } from "@plinth/sdk";
import { v } from "convex/values";
import { z } from "zod";
import { internal } from "./_generated/api.js";

/** Inputs and outputs with Convex validators. */
export const findOrder = operation({
  displayName: "Find an order",
  description: "Finds an order by its number and says whether it is open or refunded. Use it before anything is done to an order.",
  isAgentSkill: true,
  effect: "read",
  input: { number: v.string() },
  output: v.object({ status: v.string(), euros: v.number() }),
  handler: async (ctx, { number }): Promise<{ status: string; euros: number }> => {
    const order = await ctx.runQuery(internal.orders.find, { number });
    if (order === null) throw new OperationError(`There is no order ${number}.`);
    return { status: order.status, euros: order.cents / 100 };
  },
});

/** Inputs and outputs with zod, or with any other library that keeps to Standard Schema. */
export const refundOrder = operation({
  displayName: "Refund an order",
  description: "Pays an order back. It cannot be undone.",
  isAgentSkill: true,
  effect: "write",
  timeoutMs: 10_000,
  input: z.object({
    number: z.string().regex(/^A\d+$/, "A number is an A and digits."),
    reason: z.enum(["damaged", "late", "other"]).default("other").describe("Why it is paid back"),
  }),
  output: z.object({ euros: z.number().positive(), reason: z.string() }),
  handler: async (ctx, { number, reason }): Promise<{ euros: number; reason: string }> => {
    const cents = await ctx.runMutation(internal.orders.refund, { number });
    if (cents === null) throw new OperationError(`There is nothing to pay back for ${number}.`);
    return { euros: cents / 100, reason };
  },
});

/** A form that changes with what was filled in: only parcels have a weight. */
export const shippingCosts = operation({
  description: "Says what it costs to send something.",
  effect: "read",
  input: v.any(),
  output: v.object({ cents: v.number() }),
  schema: async (_, { kind }) => ({
    input: {
      kind: v.union(v.literal("letter"), v.literal("parcel")),
      ...(kind === "parcel" ? { grams: v.number() } : {}),
    },
  }),
  handler: async (_, { kind, grams }) => ({ cents: kind === "parcel" ? 500 + Math.ceil(Number(grams) / 1000) * 100 : 95 }),
});

/** What the steps of the order saga do and undo. Each is a mutation, so a run does it exactly once. */
import { ConvexError, v } from "convex/values";
import { internalMutation } from "./_generated/server.js";

const line = { item: v.string(), quantity: v.number() };

export const reserve = internalMutation({
  args: line,
  handler: async (ctx, { item, quantity }) => {
    const stock = await ctx.db
      .query("stock")
      .withIndex("byItem", (q) => q.eq("item", item))
      .unique();
    if (stock === null || stock.count < quantity)
      throw new ConvexError({ code: "soldOut", message: `There are not ${quantity} of ${item}.` });
    await ctx.db.patch(stock._id, { count: stock.count - quantity });
    return { left: stock.count - quantity };
  },
});

export const release = internalMutation({
  args: line,
  handler: async (ctx, { item, quantity }) => {
    const stock = await ctx.db
      .query("stock")
      .withIndex("byItem", (q) => q.eq("item", item))
      .unique();
    if (stock !== null) await ctx.db.patch(stock._id, { count: stock.count + quantity });
  },
});

export const charge = internalMutation({
  args: { order: v.string(), cents: v.number() },
  handler: async (ctx, payment) => await ctx.db.insert("payments", { ...payment, status: "charged" }),
});

export const refund = internalMutation({
  args: { order: v.string() },
  handler: async (ctx, { order }) => {
    const payment = await ctx.db
      .query("payments")
      .withIndex("byOrder", (q) => q.eq("order", order))
      .unique();
    if (payment !== null) await ctx.db.patch(payment._id, { status: "refunded" });
  },
});

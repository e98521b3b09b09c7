/** What the operations do with the data. */
import { v } from "convex/values";
import { internalMutation, internalQuery, mutation } from "./_generated/server.js";

export const place = mutation({
  args: { number: v.string(), cents: v.number() },
  handler: async (ctx, order) => {
    await ctx.db.insert("orders", { ...order, status: "open" });
  },
});

export const find = internalQuery({
  args: { number: v.string() },
  handler: async (ctx, { number }) =>
    await ctx.db
      .query("orders")
      .withIndex("byNumber", (q) => q.eq("number", number))
      .first(),
});

/** How many cents were paid back; null when there was nothing to pay back. */
export const refund = internalMutation({
  args: { number: v.string() },
  handler: async (ctx, { number }) => {
    const order = await ctx.db
      .query("orders")
      .withIndex("byNumber", (q) => q.eq("number", number))
      .first();
    if (order === null || order.status === "refunded") return null;
    await ctx.db.patch(order._id, { status: "refunded" });
    return order.cents;
  },
});

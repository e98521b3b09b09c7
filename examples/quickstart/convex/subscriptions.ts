import { ConvexError, v } from "convex/values";
import { internal } from "./_generated/api.js";
import { mutation, query } from "./_generated/server.js";

/** Subscribes an account and bills the first month at once, in the same transaction. */
export const start = mutation({
  args: {
    accountId: v.id("accounts"),
    plan: v.union(v.literal("basic"), v.literal("team"), v.literal("business")),
    seats: v.number(),
    period: v.string(),
  },
  handler: async (ctx, { accountId, plan, seats, period }) => {
    const account = await ctx.db.get(accountId);
    if (account === null || account.status === "closed") throw new ConvexError({ code: "noSuchAccount", accountId });
    if (!Number.isInteger(seats) || seats < 1) throw new ConvexError({ code: "invalidSeats", seats });
    const subscriptionId = await ctx.db.insert("subscriptions", { accountId, plan, seats, startedPeriod: period });
    await ctx.runMutation(internal.invoices.bill, { subscriptionId, period });
    console.log(`started ${plan} with ${seats} seats for`, account.name);
    return subscriptionId;
  },
});

export const forAccount = query({
  args: { accountId: v.id("accounts") },
  handler: async (ctx, { accountId }) =>
    await ctx.db
      .query("subscriptions")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .collect(),
});

import { ConvexError, v } from "convex/values";
import { mutation, query } from "./_generated/server.js";

/** Opens an account. One email has one account. */
export const open = mutation({
  args: { name: v.string(), email: v.string() },
  returns: v.id("accounts"),
  handler: async (ctx, { name, email }) => {
    const address = email.trim().toLowerCase();
    if (!address.includes("@")) throw new ConvexError({ code: "invalidEmail", email });
    const taken = await ctx.db
      .query("accounts")
      .withIndex("by_email", (q) => q.eq("email", address))
      .first();
    if (taken !== null) throw new ConvexError({ code: "emailTaken", email: address });
    return await ctx.db.insert("accounts", { name, email: address, status: "active" });
  },
});

/** Accounts in the order of their names. */
export const list = query({
  args: { status: v.optional(v.union(v.literal("active"), v.literal("closed"))) },
  handler: async (ctx, { status }) => {
    return await ctx.db
      .query("accounts")
      .withIndex("by_status", (q) => q.eq("status", status ?? "active"))
      .take(100);
  },
});

/** An account with what it subscribes to and what it owes. */
export const get = query({
  args: { accountId: v.id("accounts") },
  handler: async (ctx, { accountId }) => {
    const account = await ctx.db.get(accountId);
    if (account === null) return null;
    const subscriptions = await ctx.db
      .query("subscriptions")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .collect();
    const invoices = await ctx.db
      .query("invoices")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .collect();
    const openCents = invoices.filter(({ status }) => status !== "paid").reduce((sum, { amountCents }) => sum + amountCents, 0);
    return { account, subscriptions, openCents };
  },
});

/** Closes an account and ends its subscriptions. Refused while invoices are open. */
export const close = mutation({
  args: { accountId: v.id("accounts"), period: v.string() },
  returns: v.null(),
  handler: async (ctx, { accountId, period }) => {
    const invoices = await ctx.db
      .query("invoices")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .collect();
    const open = invoices.filter(({ status }) => status !== "paid").length;
    if (open > 0) throw new ConvexError({ code: "invoicesOpen", open });
    const subscriptions = await ctx.db
      .query("subscriptions")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .collect();
    for (const { _id, canceledPeriod } of subscriptions) {
      if (canceledPeriod === undefined) await ctx.db.patch(_id, { canceledPeriod: period });
    }
    await ctx.db.patch(accountId, { status: "closed" });
    return null;
  },
});

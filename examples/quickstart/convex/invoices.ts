import { ConvexError, v } from "convex/values";
import { paginationOptsValidator } from "convex/server";
import { internal } from "./_generated/api.js";
import { action, internalAction, internalMutation, internalQuery, mutation, query, type ActionCtx } from "./_generated/server.js";
import { invoiceLines } from "./plans.js";

const PAYMENT_TERM_MS = 14 * 24 * 60 * 60 * 1000;

/** Bills one subscription for one month; a second time it finds the invoice and changes nothing. */
export const bill = internalMutation({
  args: { subscriptionId: v.id("subscriptions"), period: v.string() },
  returns: v.id("invoices"),
  handler: async (ctx, { subscriptionId, period }) => {
    const existing = await ctx.db
      .query("invoices")
      .withIndex("by_subscription_period", (q) => q.eq("subscriptionId", subscriptionId).eq("period", period))
      .unique();
    if (existing !== null) return existing._id;
    const subscription = await ctx.db.get(subscriptionId);
    if (subscription === null) throw new ConvexError({ code: "noSuchSubscription", subscriptionId });
    const lines = invoiceLines(subscription);
    const amountCents = lines.reduce((sum, line) => sum + line.amountCents, 0);
    const invoiceId = await ctx.db.insert("invoices", {
      accountId: subscription.accountId,
      subscriptionId,
      period,
      amountCents,
      lines,
      status: "open",
    });
    await ctx.scheduler.runAfter(PAYMENT_TERM_MS, internal.invoices.markOverdue, { invoiceId });
    return invoiceId;
  },
});

/** Marks an invoice that nobody paid in time. */
export const markOverdue = internalMutation({
  args: { invoiceId: v.id("invoices") },
  returns: v.null(),
  handler: async (ctx, { invoiceId }) => {
    const invoice = await ctx.db.get(invoiceId);
    if (invoice?.status === "open") await ctx.db.patch(invoiceId, { status: "overdue" });
    return null;
  },
});

/** Pays an invoice. Paying twice is an error that says so. */
export const pay = mutation({
  args: { invoiceId: v.id("invoices") },
  returns: v.null(),
  handler: async (ctx, { invoiceId }) => {
    const invoice = await ctx.db.get(invoiceId);
    if (invoice === null) throw new ConvexError({ code: "noSuchInvoice", invoiceId });
    if (invoice.status === "paid") throw new ConvexError({ code: "alreadyPaid", invoiceId });
    await ctx.db.patch(invoiceId, { status: "paid", paidAtMs: Date.now() });
    return null;
  },
});

/** Invoices of an account, newest period first, page by page. */
export const page = query({
  args: { accountId: v.id("accounts"), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { accountId, paginationOpts }) =>
    await ctx.db
      .query("invoices")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .order("desc")
      .paginate(paginationOpts),
});

/** Subscriptions that run in a month. */
export const running = internalQuery({
  args: { period: v.string() },
  returns: v.array(v.id("subscriptions")),
  handler: async (ctx, { period }) => {
    const started = await ctx.db
      .query("subscriptions")
      .withIndex("by_started", (q) => q.lte("startedPeriod", period))
      .collect();
    return started.filter(({ canceledPeriod }) => canceledPeriod === undefined || canceledPeriod > period).map(({ _id }) => _id);
  },
});

/** Bills all running subscriptions for a month, one transaction each, and returns how many there were. */
async function billPeriod(ctx: ActionCtx, period: string): Promise<number> {
  const subscriptionIds = await ctx.runQuery(internal.invoices.running, { period });
  await Promise.all(
    subscriptionIds.map(async (subscriptionId) => await ctx.runMutation(internal.invoices.bill, { subscriptionId, period })),
  );
  console.info(`billed ${subscriptionIds.length} subscriptions for ${period}`);
  return subscriptionIds.length;
}

export const billAll = action({
  args: { period: v.string() },
  returns: v.number(),
  handler: async (ctx, { period }): Promise<number> => await billPeriod(ctx, period),
});

/** Bills the month before the present one; the cron job calls it. */
export const billLastMonth = internalAction({
  args: {},
  returns: v.number(),
  handler: async (ctx): Promise<number> => {
    const now = new Date();
    const lastMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
    return await billPeriod(ctx, lastMonth.toISOString().slice(0, 7));
  },
});

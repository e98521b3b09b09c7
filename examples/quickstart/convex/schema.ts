import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

/** Amounts are whole cents, periods are months as `2026-11`. */
export default defineSchema({
  accounts: defineTable({
    name: v.string(),
    email: v.string(),
    status: v.union(v.literal("active"), v.literal("closed")),
  })
    .index("by_email", ["email"])
    .index("by_status", ["status", "name"]),

  subscriptions: defineTable({
    accountId: v.id("accounts"),
    plan: v.union(v.literal("basic"), v.literal("team"), v.literal("business")),
    seats: v.number(),
    startedPeriod: v.string(),
    canceledPeriod: v.optional(v.string()),
  })
    .index("by_account", ["accountId"])
    .index("by_started", ["startedPeriod"]),

  invoices: defineTable({
    accountId: v.id("accounts"),
    subscriptionId: v.id("subscriptions"),
    period: v.string(),
    amountCents: v.number(),
    lines: v.array(v.object({ text: v.string(), amountCents: v.number() })),
    status: v.union(v.literal("open"), v.literal("paid"), v.literal("overdue")),
    paidAtMs: v.optional(v.number()),
  })
    .index("by_account", ["accountId", "period"])
    .index("by_subscription_period", ["subscriptionId", "period"])
    .index("by_status", ["status"]),
});

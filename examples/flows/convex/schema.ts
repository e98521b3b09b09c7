import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const cents = v.number();

export default defineSchema({
  customers: defineTable({ name: v.string(), tier: v.union(v.literal("standard"), v.literal("gold")), hookUrl: v.string() }),
  subscriptions: defineTable({ customer: v.id("customers"), plan: v.string(), seats: v.number(), months: v.number(), cents }),
  invoices: defineTable({ subscription: v.id("subscriptions"), customer: v.id("customers"), cents, percent: v.number() }),
  expenses: defineTable({ who: v.string(), what: v.string(), cents, status: v.string(), decidedBy: v.union(v.string(), v.null()) }),
  /** A system that is read each night. */
  sources: defineTable({ name: v.string(), url: v.string() }).index("byName", ["name"]),
  contacts: defineTable({ externalId: v.string(), name: v.string(), email: v.string() }).index("byExternalId", ["externalId"]),
  stock: defineTable({ item: v.string(), count: v.number() }).index("byItem", ["item"]),
  payments: defineTable({ order: v.string(), cents, status: v.union(v.literal("charged"), v.literal("refunded")) }).index("byOrder", [
    "order",
  ]),
});

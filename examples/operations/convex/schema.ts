import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  orders: defineTable({ number: v.string(), status: v.union(v.literal("open"), v.literal("refunded")), cents: v.number() }).index(
    "byNumber",
    ["number"],
  ),
});

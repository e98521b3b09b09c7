import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  accounts: defineTable({ name: v.string(), revenue: v.number() }),
  notes: defineTable({ text: v.string() }),
});

import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  things: defineTable({ text: v.string(), rank: v.number() }).index("by_text", ["text"]),
});

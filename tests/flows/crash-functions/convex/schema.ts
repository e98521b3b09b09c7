import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  counters: defineTable({ name: v.string(), round: v.number(), run: v.string(), step: v.string(), count: v.number() })
    .index("by_name", ["name"])
    .index("by_round", ["round"]),
});

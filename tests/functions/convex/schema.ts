import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  lists: defineTable({ history: v.string(), key: v.string(), values: v.array(v.number()) }).index("by_key", ["history", "key"]),
  elements: defineTable({ history: v.string(), key: v.string(), value: v.number(), position: v.number() }).index("by_key", [
    "history",
    "key",
    "position",
  ]),
  rows: defineTable({ client: v.string(), seq: v.number(), text: v.string() })
    .index("by_client", ["client", "seq"])
    .index("by_text", ["text"]),
  counters: defineTable({ name: v.string(), count: v.number() }).index("by_name", ["name"]),
});

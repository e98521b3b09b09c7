import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({ orders: defineTable({ number: v.string(), total: v.number() }) });

import { v } from "convex/values";

/** Of arguments and results that are handles of values: see `readValue` and `writeValue`. */
export const valueHandle = v.object({ valueHandle: v.string(), bytes: v.number(), contentType: v.string() });

import { mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

/** Rows of about ten kilobytes, so that a few hundred are more than one answer of the host holds. */
export const fill = mutationGeneric({
  args: { rows: v.number(), mark: v.string() },
  handler: async (ctx, { rows, mark }) => {
    for (let i = 0; i < rows; i += 1) await ctx.db.insert("filled", { mark, i, text: "x".repeat(10_000) });
  },
});

/** Scans the whole table for rows that few of it are. */
export const find = queryGeneric({
  args: { mark: v.string() },
  handler: async (ctx, { mark }) => {
    const rows = await ctx.db
      .query("filled")
      .filter((q) => q.eq(q.field("mark"), mark))
      .collect();
    return rows.map(({ i }) => i);
  },
});

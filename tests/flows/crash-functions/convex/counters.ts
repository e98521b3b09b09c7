import { mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

const place = { round: v.number(), run: v.string(), step: v.string() };

/** Counts one execution of one step. */
export const bump = mutationGeneric({
  args: place,
  handler: async ({ db }, { round, run, step }) => {
    const name = `${run}/${step}`;
    const found = await db
      .query("counters")
      .withIndex("by_name", (q) => q.eq("name", name))
      .unique();
    if (found === null) await db.insert("counters", { name, round, run, step, count: 1 });
    else await db.patch(found._id, { count: (found["count"] as number) + 1 });
    return step;
  },
});

export const ofRound = queryGeneric({
  args: { round: v.number() },
  handler: async ({ db }, { round }) => {
    const rows = await db
      .query("counters")
      .withIndex("by_round", (q) => q.eq("round", round))
      .collect();
    return rows.map(({ run, step, count }) => ({ run: run as string, step: step as string, count: count as number }));
  },
});

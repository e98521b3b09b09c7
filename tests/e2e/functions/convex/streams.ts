import { emit } from "@plinth/sdk";
import { actionGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";

/** Counts down, telling each number as it comes. */
export const countDown = actionGeneric({
  args: { from: v.number() },
  handler: async (_, { from }) => {
    for (let n = from; n > 0; n -= 1) {
      console.log("at", n);
      await emit({ n });
    }
    return "lift-off";
  },
});

export const emitInQuery = queryGeneric({ args: {}, handler: async () => await emit(1) });

/** Category N as user code sees it: what `fetch` of an action may not reach. */
import { actionGeneric } from "convex/server";
import { v } from "convex/values";

export const tryFetch = actionGeneric({
  args: { url: v.string(), init: v.optional(v.any()) },
  handler: async (_, { url, init }) => {
    try {
      const response = await fetch(url, init);
      return { reached: true, status: response.status, text: (await response.text()).slice(0, 200) };
    } catch (error) {
      return { reached: false, message: (error as Error).message };
    }
  },
});

export const many = actionGeneric({
  args: { url: v.string(), count: v.number() },
  handler: async (_, { url, count }) => {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, () => fetch(url)));
    return outcomes.filter(({ status }) => status === "rejected").length;
  },
});

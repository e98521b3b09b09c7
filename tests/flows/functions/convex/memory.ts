import { mutationGeneric } from "convex/server";
import { v } from "convex/values";

/** Mutations of one run may find what an earlier one left here. */
let calls = 0;

export const child = mutationGeneric({ args: {}, handler: async () => ++calls });

export const count = mutationGeneric({
  args: {},
  handler: async ({ runMutation }) => {
    calls++;
    return { calls, child: (await runMutation("memory:child" as never, {})) as number, key: process.env["PLINTH_IDEMPOTENCY_KEY"] ?? null };
  },
});

/** Those that run at the same time conflict. */
export const bump = mutationGeneric({
  args: { text: v.string() },
  handler: async ({ db }, { text }) => {
    calls++;
    const before = (await db.query("notes").collect()).filter((note) => note["text"] === text).length;
    await db.insert("notes", { text });
    return { calls, before };
  },
});

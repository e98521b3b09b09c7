import { mutationGeneric } from "convex/server";
import { v } from "convex/values";

const VERSIONS = { name: v.string(), revenue: v.number() };

export const create = mutationGeneric({ args: VERSIONS, handler: async ({ db }, account) => await db.insert("accounts", account) });

export const update = mutationGeneric({
  args: { id: v.id("accounts"), ...VERSIONS },
  handler: async ({ db }, { id, ...account }) => await db.replace(id, account),
});

export const remove = mutationGeneric({ args: { id: v.id("accounts") }, handler: async ({ db }, { id }) => await db.delete(id) });

/** Writes and fails: nothing of it is there afterwards. */
export const fail = mutationGeneric({
  args: VERSIONS,
  handler: async ({ db }, account) => {
    await db.insert("accounts", account);
    throw new Error("no");
  },
});

/** What comes to nothing, and what nobody listens to. */
export const nothing = mutationGeneric({
  args: {},
  handler: async ({ db }) => {
    const id = await db.insert("accounts", { name: "gone", revenue: 0 });
    await db.delete(id);
    await db.insert("notes", { text: "a note" });
  },
});

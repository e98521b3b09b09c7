import { internalQueryGeneric } from "convex/server";
import { v } from "convex/values";

const CODE = "code-of-nobody";

/** `notes.list` of the interface that snap-ins call back. */
export const list = internalQueryGeneric({
  args: { args: v.any(), caller: v.any() },
  handler: async (ctx) => ({ code: CODE, texts: (await ctx.db.query("notes").collect()).map((note) => note.text as string) }),
});

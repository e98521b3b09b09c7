/** Contacts of another system, by the id that they have there. */
import { v } from "convex/values";
import { internalMutation, internalQuery } from "./_generated/server.js";

export const source = internalQuery({
  args: { name: v.string() },
  handler: async (ctx, { name }) =>
    await ctx.db
      .query("sources")
      .withIndex("byName", (q) => q.eq("name", name))
      .unique(),
});

/** Writes a page of them; says how many are new. */
export const upsert = internalMutation({
  args: { page: v.array(v.object({ id: v.string(), name: v.string(), email: v.string() })) },
  handler: async (ctx, { page }) => {
    let added = 0;
    for (const { id, ...fields } of page) {
      const known = await ctx.db
        .query("contacts")
        .withIndex("byExternalId", (q) => q.eq("externalId", id))
        .unique();
      if (known === null) {
        await ctx.db.insert("contacts", { externalId: id, ...fields });
        added += 1;
      } else {
        await ctx.db.patch(known._id, fields);
      }
    }
    return { added, changed: page.length - added };
  },
});

import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { authorOf, CALL, refuse } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { OBJECTS } from "../model/objects.ts";
import { find, insert, shown, type Stored } from "../model/store.ts";

const SPEC = OBJECTS.rev_users;
const { get, update, remove, list, count } = crud(SPEC);
export { get, update, remove as delete, list, count };

/** One email has one user. */
export const create = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const email = args["email"];
    if (typeof email === "string") {
      const taken = await ctx.db
        .query("rev_users")
        .withIndex("by_email", (q) => q.eq("email", email))
        .first();
      if (taken !== null) throw refuse(409, `There is a user with this email: ${String((taken as unknown as Stored).id)}.`);
    }
    return { rev_user: shown(await insert(ctx, SPEC, { args: { state: "active", ...args }, caller })) };
  },
});

export const self = internalQuery({
  args: CALL,
  handler: async (ctx, { caller }) => {
    const found = await find(ctx, authorOf(caller));
    if (found === null) throw refuse(404, "The caller is no user of a customer.");
    return { rev_user: shown(found) };
  },
});

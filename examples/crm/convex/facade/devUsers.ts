import { internalQueryGeneric as internalQuery } from "convex/server";
import { authorOf, CALL } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { OBJECTS } from "../model/objects.ts";
import { find, shown } from "../model/store.ts";

const { create, get, update, remove, list, count } = crud(OBJECTS.dev_users);
export { create, get, update, remove as delete, list, count };

/** Who calls: the user who acts, or the account. */
export const self = internalQuery({
  args: CALL,
  handler: async (ctx, { caller }) => {
    const id = authorOf(caller);
    const found = await find(ctx, id);
    return { dev_user: found === null ? { id, display_id: id, display_name: id, state: "active" } : shown(found) };
  },
});

import { internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, text } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { list as listOf } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { find } from "../model/store.ts";

const SPEC = OBJECTS.links;
const { create, get, remove } = crud(SPEC);
export { create, get, remove as delete };

/** `{object, link_type?}`: links from the object, then those to it. */
export const list = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => {
    const named = text(args, "object");
    const id = (await find(ctx, named))?.id ?? named;
    const { object: _object, ...rest } = args;
    const from = await listOf(ctx, SPEC, rest, { index: "by_source", field: "source.id", value: id });
    const to = await listOf(ctx, SPEC, rest, { index: "by_target", field: "target.id", value: id });
    return { links: [...from.items, ...to.items] };
  },
});

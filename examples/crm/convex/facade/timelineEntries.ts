/** Comments and what else stands in the timeline of an object. */
import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, refuse, text } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { list as listOf } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { find, insert, shown } from "../model/store.ts";

const SPEC = OBJECTS.timeline_entries;
const { get, update, remove } = crud(SPEC);
export { get, update, remove as delete };

export const create = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    const named = text(args, "object");
    const object = await find(ctx, named);
    const type = args["type"] ?? "timeline_comment";
    if (type !== "timeline_comment") throw refuse(400, "`type` must be `timeline_comment`.");
    const body = args["snap_kit_body"] === undefined ? "text" : "snap_kit";
    const made = await insert(ctx, SPEC, {
      caller,
      args: {
        visibility: "external",
        body_type: body,
        ...args,
        type,
        // Objects of other systems have entries too, under the names that they have there.
        object: object?.id ?? named,
        object_type: object?.type ?? /:([a-z_]+)\/[^/:]+$/.exec(object?.id ?? named)?.[1] ?? "unknown",
        object_display_id: object?.display_id ?? named,
      },
    });
    return { timeline_entry: shown(made) };
  },
});

/** `{object, limit?, cursor?}`: in the order in which they were written. */
export const list = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => {
    const named = text(args, "object");
    const object = (await find(ctx, named))?.id ?? named;
    const { object: _object, ...rest } = args;
    const { items, next, previous } = await listOf(ctx, SPEC, rest, { index: "by_object", field: "object", value: object });
    return {
      timeline_entries: items,
      ...(next === null ? {} : { next_cursor: next }),
      ...(previous === null ? {} : { prev_cursor: previous }),
    };
  },
});

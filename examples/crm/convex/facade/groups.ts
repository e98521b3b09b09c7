import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, refuse, text, type Args } from "../model/call.ts";
import { crud } from "../model/crud.ts";
import { list as listOf } from "../model/list.ts";
import { OBJECTS } from "../model/objects.ts";
import { find, insert, mustFind, summaryOf, type ReadCtx, type Stored } from "../model/store.ts";

const { create, get, update, remove, list, count } = crud(OBJECTS.groups);
export { create, get, update, remove as delete, list, count };

const SPEC = OBJECTS.group_members;

/** `{group, member}`: who is in it already stays in it. */
export const membersAdd = internalMutation({
  args: CALL,
  handler: async (ctx, { args, caller }) => {
    if ((await membership(ctx, args)) === null) await insert(ctx, SPEC, { args, caller });
    return {};
  },
});

export const membersRemove = internalMutation({
  args: CALL,
  handler: async (ctx, { args }) => {
    const found = await membership(ctx, args);
    if (found === null) throw refuse(404, "The group has no such member.");
    await ctx.db.delete(found._id as never);
    return {};
  },
});

/** `{group}` */
export const membersList = internalQuery({
  args: CALL,
  handler: async (ctx, { args }) => {
    const { group, ...rest } = args;
    const { id } = await mustFind(ctx, OBJECTS.groups, text({ group }, "group"));
    const { items, next } = await listOf(ctx, SPEC, rest, { index: "by_group", field: "group.id", value: id });
    const members = items.map(({ id: membershipId, member }) => ({ id: membershipId, member }));
    return { members, ...(next === null ? {} : { next_cursor: next }) };
  },
});

async function membership(ctx: ReadCtx, args: Args): Promise<Stored | null> {
  const group = await mustFind(ctx, OBJECTS.groups, text(args, "group"));
  const member = (await find(ctx, text(args, "member"))) ?? (await summaryOf(ctx, text(args, "member")));
  for await (const row of ctx.db.query("group_members").withIndex("by_group", (q) => q.eq("group.id", group.id))) {
    const stored = row as unknown as Stored & { readonly member: { readonly id: string } };
    if (stored.member.id === member.id) return stored;
  }
  return null;
}

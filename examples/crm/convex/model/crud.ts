/** The functions that every object has: `create`, `get`, `update`, `delete`, `list`, `count`, `export`. */
import { internalMutationGeneric as internalMutation, internalQueryGeneric as internalQuery } from "convex/server";
import { CALL, idOf, mustMay, type Args, type Caller } from "./call.ts";
import { filterOf, list } from "./list.ts";
import type { ObjectSpec } from "./objects.ts";
import { change, insert, mustFind, shown, type Stored } from "./store.ts";

type Permission = Parameters<typeof mustMay>[1]["permission"];

export function crud(spec: ObjectSpec) {
  return {
    create: internalMutation({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        may(spec, caller, { permission: "write", type: args["type"] });
        return { [spec.one]: shown(await insert(ctx, spec, { args, caller })) };
      },
    }),
    get: internalQuery({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        const found = await mustFind(ctx, spec, idOf(args));
        may(spec, caller, { permission: "read", type: found.type });
        return { [spec.one]: shown(found) };
      },
    }),
    update: internalMutation({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        const found = await mustFind(ctx, spec, idOf(args));
        may(spec, caller, { permission: "update", type: found.type });
        return { [spec.one]: shown(await change(ctx, spec, { found, args, caller })) };
      },
    }),
    remove: internalMutation({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        const found = await mustFind(ctx, spec, idOf(args));
        may(spec, caller, { permission: "write", type: found.type });
        await ctx.db.delete(found._id as never);
        return {};
      },
    }),
    list: internalQuery({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        const { items, next, previous } = await list(ctx, spec, withTypes(spec, args, caller));
        return {
          [spec.many]: items,
          ...(next === null ? {} : { next_cursor: next }),
          ...(previous === null ? {} : { prev_cursor: previous }),
        };
      },
    }),
    count: internalQuery({
      args: CALL,
      handler: async (ctx, { args, caller }) => {
        const test = filterOf(spec, withTypes(spec, args, caller));
        let count = 0;
        for await (const row of ctx.db.query(spec.table)) if (test(row as unknown as Stored)) count += 1;
        return { count };
      },
    }),
  };
}

/** A scope of one kind, `ticket:read`, is one for works of that kind only. */
function may(spec: ObjectSpec, caller: Caller, { permission, type }: { readonly permission: Permission; readonly type: unknown }): void {
  mustMay(caller, { objects: [spec.one, ...(typeof type === "string" ? [type] : [])], permission });
}

/** Lists show the kinds that the token may read. */
function withTypes(spec: ObjectSpec, args: Args, { scopes }: Caller): Args {
  const kinds = Object.keys(spec.kinds);
  if (scopes === null || kinds.includes("") || scopes.some((scope) => scope.startsWith(`${spec.one}:`))) return args;
  const readable = kinds.filter((kind) => scopes.some((scope) => scope.startsWith(`${kind}:`) && !scope.endsWith(":execute")));
  const asked =
    args["type"] === undefined ? readable : [args["type"]].flat().filter((type) => typeof type === "string" && readable.includes(type));
  return { ...args, type: asked };
}

/** Reads and writes of objects, the same for all of them. */
import type { GenericDataModel, GenericMutationCtx, GenericQueryCtx } from "convex/server";
import type { Value } from "convex/values";
import { authorOf, refuse, type Args, type Caller } from "./call.ts";
import { donOf, placeOf } from "./ids.ts";
import type { Kind } from "./kinds.ts";
import { OBJECTS, type ObjectSpec } from "./objects.ts";

export type ReadCtx = Pick<GenericQueryCtx<GenericDataModel>, "db">;
export type WriteCtx = Pick<GenericMutationCtx<GenericDataModel>, "db">;

/** An object as it is stored. */
export interface Stored {
  readonly _id: string;
  readonly _creationTime: number;
  readonly id: string;
  readonly display_id: string;
  readonly seq: number;
  readonly type?: string;
  readonly [field: string]: unknown;
}

export type Shown = Readonly<Record<string, unknown>>;

export function shown({ _id, _creationTime, seq, ...rest }: Stored): Shown {
  void [_id, _creationTime, seq];
  return rest;
}

/** The object of an id or a display id; null when there is none. */
export async function find(ctx: ReadCtx, id: string): Promise<Stored | null> {
  const place = placeOf(id);
  if (place === undefined) return null;
  const field = place.index === "by_don" ? "id" : "display_id";
  const wanted = field === "id" ? id : id.toUpperCase();
  return (await ctx.db
    .query(place.table)
    .withIndex(place.index, (q) => q.eq(field, wanted))
    .first()) as Stored | null;
}

export async function mustFind(ctx: ReadCtx, spec: ObjectSpec, id: string): Promise<Stored> {
  const found = placeOf(id)?.table === spec.table ? await find(ctx, id) : null;
  if (found === null) throw refuse(404, `There is no ${spec.one} '${id.slice(0, 200)}'.`);
  return found;
}

/** What is shown of an object where another one names it. Ids from elsewhere are kept as they are. */
export async function summaryOf(ctx: ReadCtx, id: string) {
  const found = await find(ctx, id);
  const kind = kindOfId(id);
  if (found === null) return { id, ...(kind === undefined ? {} : { type: kind }) };
  const names = ["type", "display_id", "display_name", "full_name", "name", "email"] as const;
  const known = names.flatMap((name) => (typeof found[name] === "string" ? [[name, found[name]] as const] : []));
  return { id: found.id, ...(kind === undefined ? {} : { type: kind }), ...Object.fromEntries(known) };
}

/** What an id names, where objects of its table have no types: `dev_user`, `service_account`. */
function kindOfId(id: string): string | undefined {
  if (id.startsWith("sa_")) return "service_account";
  const table = placeOf(id)?.table;
  const spec = Object.values<ObjectSpec>(OBJECTS).find((each) => each.table === table);
  return spec !== undefined && Object.hasOwn(spec.kinds, "") ? spec.one : undefined;
}

export async function insert(ctx: WriteCtx, spec: ObjectSpec, request: { readonly args: Args; readonly caller: Caller }): Promise<Stored> {
  const { caller } = request;
  const type = kindOf(spec, request.args);
  const args = flat(spec, request.args);
  const { kind, prefix, stage } = spec.kinds[type] ?? { kind: spec.one, prefix: spec.one };
  const fields = await fieldsOf(ctx, spec, stage === undefined ? args : { stage: { name: stage }, ...args });
  for (const name of spec.required) if (fields[name] === undefined) throw refuse(400, `\`${name}\` is missing.`);
  const seq = await nextNumber(ctx, prefix);
  const author = await summaryOf(ctx, authorOf(caller));
  const now = new Date().toISOString();
  const key = await ctx.db.insert(spec.table, {
    ...fields,
    ...(type === "" ? {} : { type }),
    ...(isRecord(args["custom_fields"]) ? { custom_fields: args["custom_fields"] as Value } : {}),
    id: donOf(spec, caller.organisation, { kind, seq }),
    display_id: `${prefix}-${seq}`,
    seq,
    created_by: author,
    created_date: now,
    modified_by: author,
    modified_date: now,
  });
  return (await ctx.db.get(key)) as Stored;
}

export async function change(
  ctx: WriteCtx,
  spec: ObjectSpec,
  request: { readonly found: Stored; readonly args: Args; readonly caller: Caller },
): Promise<Stored> {
  const { found, caller } = request;
  const args = flat(spec, request.args);
  const custom = args["custom_fields"];
  await ctx.db.patch(found._id as never, {
    ...(await fieldsOf(ctx, spec, args, found)),
    ...(isRecord(custom) ? { custom_fields: { ...(found["custom_fields"] as Args | undefined), ...custom } as Value } : {}),
    modified_by: await summaryOf(ctx, authorOf(caller)),
    modified_date: new Date().toISOString(),
  });
  return (await ctx.db.get(found._id as never)) as Stored;
}

/** Arguments with what stands under the name of a kind, `{ticket: {severity}}` or `ticket.severity`, beside the others. */
export function flat(spec: ObjectSpec, args: Args): Args {
  let all = args;
  for (const kind of Object.keys(spec.kinds)) {
    if (kind === "") continue;
    if (isRecord(args[kind])) all = { ...all, ...args[kind] };
    for (const [name, value] of Object.entries(args))
      if (name.startsWith(`${kind}.`)) all = { ...all, [name.slice(kind.length + 1)]: value };
  }
  return all;
}

/** The values of the arguments that are fields; of `before` where lists change by parts. */
export async function fieldsOf(ctx: ReadCtx, spec: ObjectSpec, args: Args, before?: Stored): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(spec.fields)) {
    const given = args[name];
    if (given === undefined) continue;
    // A field that is taken away is absent.
    fields[name] = given === null ? undefined : await valueOf(ctx, { name, kind, given, before: before?.[name] });
  }
  return fields;
}

async function valueOf(
  ctx: ReadCtx,
  { name, kind, given, before }: { readonly name: string; readonly kind: Kind; readonly given: unknown; readonly before: unknown },
): Promise<unknown> {
  switch (kind) {
    case "json":
      return given;
    case "text":
      return check(name, "a text", typeof given === "string", given);
    case "number":
      return check(name, "a number", Number.isFinite(Number(given)) && given !== "", Number(given));
    case "boolean":
      return check(name, "true or false", given === true || given === false, given);
    case "stage": {
      const stage = isRecord(given) ? (given["name"] ?? given["stage"]) : given;
      return { name: check(name, "`{name}`", typeof stage === "string", stage) };
    }
    case "reference":
      return await summaryOf(ctx, referenceId(name, given));
    case "texts":
      return changedList(name, {
        given,
        before,
        read: (item) => check(name, "a list of texts", typeof item === "string", item),
        keyOf: String,
      });
    case "references": {
      const ids = changedList(name, { given, before, read: (item) => referenceId(name, item), keyOf: (item) => referenceId(name, item) });
      return await Promise.all(ids.map((item) => summaryOf(ctx, referenceId(name, item))));
    }
    case "tags": {
      const tags = changedList(name, { given, before, read: (item) => item, keyOf: (item) => tagId(name, item) });
      return await Promise.all(
        tags.map(async (item) => {
          const value = isRecord(item) && typeof item["value"] === "string" ? { value: item["value"] } : {};
          return { tag: await summaryOf(ctx, tagId(name, item)), ...value };
        }),
      );
    }
  }
}

/** A list, or what is set in it, added to it and taken out of it. */
function changedList(
  name: string,
  list: {
    readonly given: unknown;
    readonly before: unknown;
    readonly read: (item: unknown) => unknown;
    readonly keyOf: (item: unknown) => string;
  },
): readonly unknown[] {
  const { given, before, read, keyOf } = list;
  const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  if (!isRecord(given)) return (Array.isArray(given) ? given : [given]).map(read);
  if (given["set"] !== undefined && given["set"] !== null) return items(given["set"]).map(read);
  if (given["add"] === undefined && given["remove"] === undefined)
    throw refuse(400, `\`${name}\` must be a list, or have \`set\`, \`add\` or \`remove\`.`);
  const removed = new Set(items(given["remove"]).map(keyOf));
  const kept = items(before).filter((item) => !removed.has(keyOf(item)));
  const known = new Set(kept.map(keyOf));
  return [...kept, ...items(given["add"]).filter((item) => !known.has(keyOf(item)))].map(read);
}

function referenceId(name: string, value: unknown): string {
  const id = isRecord(value) ? value["id"] : value;
  return check(name, "an id", typeof id === "string" && id !== "", id) as string;
}

function tagId(name: string, value: unknown): string {
  return referenceId(name, isRecord(value) && value["tag"] !== undefined ? value["tag"] : value);
}

function check(name: string, wanted: string, isRight: boolean, value: unknown): unknown {
  if (!isRight) throw refuse(400, `\`${name}\` must be ${wanted}.`);
  return value;
}

export function isRecord(value: unknown): value is Args {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(spec: ObjectSpec, args: Args): string {
  if (Object.hasOwn(spec.kinds, "")) return "";
  const type = args["type"];
  if (typeof type === "string" && Object.hasOwn(spec.kinds, type)) return type;
  throw refuse(400, `\`type\` must be one of ${Object.keys(spec.kinds).join(", ")}.`);
}

async function nextNumber(ctx: WriteCtx, name: string): Promise<number> {
  const row = await ctx.db
    .query("sequences")
    .withIndex("by_name", (q) => q.eq("name", name))
    .unique();
  const last = Number(row?.["last"] ?? 0) + 1;
  if (row === null) await ctx.db.insert("sequences", { name, last });
  else await ctx.db.patch(row["_id"] as never, { last });
  return last;
}

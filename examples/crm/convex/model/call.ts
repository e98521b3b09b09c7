/** What functions behind the REST interface get, and how they refuse. */
import { ConvexError, v } from "convex/values";

export interface Caller {
  /** `don:identity:…:devo/<tenant>` */
  readonly organisation: string;
  /** Who acts; null when the service account does. */
  readonly user: string | null;
  readonly serviceAccount: string | null;
  readonly snapIn: string | null;
  /** `object:permission`; null when the caller is not bounded. */
  readonly scopes: readonly string[] | null;
}

export type Args = Readonly<Record<string, unknown>>;

/** Argument validators of every function of the interface. */
export const CALL = { args: v.record(v.string(), v.any()), caller: v.any() };

export function refuse(status: 400 | 403 | 404 | 409, message: string): ConvexError<{ status: number; type: string; message: string }> {
  const types = { 400: "bad_request", 403: "forbidden", 404: "not_found", 409: "conflict" } as const;
  return new ConvexError({ status, type: types[status], message });
}

export function text(args: Args, name: string): string {
  const value = args[name];
  if (typeof value !== "string" || value === "") throw refuse(400, `\`${name}\` must be a text.`);
  return value;
}

/** The id that a call names: `id`, or `object` as some clients write it. */
export function idOf(args: Args): string {
  return text(args, "id");
}

/** Who is written down as the author. */
export function authorOf({ user, serviceAccount, snapIn, organisation }: Caller): string {
  return user ?? serviceAccount ?? snapIn ?? organisation;
}

/** Tokens that may do this with one kind of an object only are held to it. */
export function mustMay(
  { scopes }: Caller,
  wanted: { readonly objects: readonly string[]; readonly permission: "read" | "write" | "update" },
): void {
  if (scopes === null) return;
  const { objects, permission } = wanted;
  const may = scopes.some((scope) => {
    const [object = "", granted = ""] = scope.split(":");
    if (!objects.includes(object)) return false;
    return granted === "all" || granted === permission || granted === "write";
  });
  if (!may) throw refuse(403, `The token has no scope \`${objects[0]}:${permission}\`.`);
}

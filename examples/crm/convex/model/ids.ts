/** Names of objects: `don:core:plinth:devo/default:ticket/1`, shown to people as `TKT-1`. */
import { TABLE_OF_KIND, TABLE_OF_PREFIX, type ObjectSpec } from "./objects.ts";

export function donOf(spec: ObjectSpec, organisation: string, named: { readonly kind: string; readonly seq: number }): string {
  const tenant = /:devo\/(.+)$/.exec(organisation)?.[1] ?? "default";
  return `don:${spec.service}:plinth:devo/${tenant}:${named.kind}/${named.seq}`;
}

/** The table and the index that finds an object by this id. */
export function placeOf(id: string): { readonly table: string; readonly index: "by_don" | "by_display_id" } | undefined {
  const kind = /:([a-z_]+)\/[^/:]+$/.exec(id)?.[1];
  if (kind !== undefined) {
    const table = TABLE_OF_KIND.get(kind);
    return table === undefined ? undefined : { table, index: "by_don" };
  }
  const prefix = /^([A-Za-z]+)-\d+$/.exec(id)?.[1];
  const table = prefix === undefined ? undefined : TABLE_OF_PREFIX.get(prefix.toUpperCase());
  return table === undefined ? undefined : { table, index: "by_display_id" };
}

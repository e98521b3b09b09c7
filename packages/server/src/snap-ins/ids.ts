/** Ids of snap-ins and of what belongs to them: `<kind>_` and 128 random bits. In events they have the form of object names. */
import type { Runtime } from "../runtime/runtime.ts";
import type { Scope } from "../database/database.ts";

export type IdKind = "snapin" | "saga" | "evs" | "sa" | "tag";

export function newId(runtime: Runtime, kind: IdKind): string {
  return `${kind}_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`;
}

/** The name of an object as events carry it, e.g. `don:integration:plinth:devo/default:snap_in/snapin_…`. */
export function objectName(scope: Scope, kind: string, id: string): string {
  return `don:integration:plinth:devo/${scope.tenant}:${kind}/${id}`;
}

/** The name of the organisation. */
export function organisationName(scope: Scope): string {
  return `don:identity:plinth:devo/${scope.tenant}`;
}

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

/** The name of a snap-in. */
export function snapInName(scope: Scope, id: string): string {
  return objectName(scope, "snap_in", id);
}

export type PartKind = "automation" | "command" | "snap_kit_action" | "snap_component" | "configuration_handler" | "hook";

/** The name of what a package declares, e.g. `don:…:snap_in/snapin_…:command/ns.name`. */
export function partName(scope: Scope, snapInId: string, part: { readonly kind: PartKind; readonly name: string }): string {
  return `${snapInName(scope, snapInId)}:${part.kind}/${part.name}`;
}

const SNAP_IN_ID = /(?:^|:snap_in\/)(snapin_[0-9a-f]{32})(?::([a-z_]{1,40})\/([^/:\s]{1,200}))?$/;

/** The snap-in, and its part, of a name or a bare id. Hostile. */
export function parseSnapInName(
  text: string,
): { readonly id: string; readonly part?: { readonly kind: string; readonly name: string } } | undefined {
  const match = SNAP_IN_ID.exec(text.slice(0, 600));
  if (match?.[1] === undefined) return undefined;
  const [, id, kind, name] = match;
  return { id, ...(kind === undefined || name === undefined ? {} : { part: { kind, name } }) };
}

/** The type of a named object: `ticket` of `don:core:…:ticket/1` and of `ticket/1`. Hostile. */
export function objectTypeOf(text: string): string | undefined {
  return text.length > 600 ? undefined : /(?:^|:)([a-z_]{1,40})\/[^/:\s]{1,200}$/.exec(text)?.[1];
}

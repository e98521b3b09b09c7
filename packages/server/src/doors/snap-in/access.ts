/**
 * What the holder of a token may call.
 *
 * S1 A token of a service account opens what the manifest's scopes say. An account whose manifest has no `scopes` at all, as older
 *    ones do, has every scope of this interface (`*:all`) and of nothing else.
 * S2 A key with `invoke` calls every function: they decide what it sees, as with its other calls. A call about the platform needs the
 *    scope that the native interface asks for the same.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { Actor, KeyScope } from "../../engine/invocation.ts";
import { hasScope } from "../authenticate.ts";
import type { Caller } from "../door.ts";

/** Objects that a scope may name in place of those of the call. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  work: ["issue", "ticket", "task", "opportunity", "incident"],
  part: ["product", "capability", "feature", "enhancement"],
};

const READING = /^(?:get|list|count|self|search|export|locate|resources|read|aggregate|children|ancestors|hybrid|core)(?![a-zA-Z])/;

/** Scopes of a caller: null when they do not bound it. */
export function grantsOf(actor: Actor): readonly string[] | null {
  const scopes = actor.service?.objectScopes;
  return scopes === undefined || scopes.includes("*:all") ? null : scopes;
}

/** Kinds of fragments of schemas, each of which has a scope of its own; the first where a call names none. */
const FRAGMENTS = ["tenant_fragment", "app_fragment", "custom_type_fragment"] as const;

/** S1: the scope of a call `<object>.<verb>`; `type` is that of its arguments. */
export function scopeOfCall(object: string, verb: string, type?: unknown): string {
  const name = object.replaceAll("-", "_");
  if (name === "schemas" && verb.startsWith("custom.")) {
    const fragment = FRAGMENTS.find((each) => each === type) ?? FRAGMENTS[0];
    return `${fragment}:${READING.test(verb.slice("custom.".length)) ? "read" : "write"}`;
  }
  const singular = name.endsWith("ies") ? `${name.slice(0, -3)}y` : name.replace(/s$/, "");
  return `${singular}:${READING.test(verb) ? "read" : verb.startsWith("update") ? "update" : "write"}`;
}

/** S2 */
export function mustHaveKeyScope({ actor }: Caller, scopes: readonly KeyScope[]): void {
  if (actor.service !== undefined || scopes.some((scope) => hasScope(actor, scope))) return;
  throw plinthError("Forbidden", { scope: scopes.join("` or `") });
}

export function mustHaveScope({ actor }: Caller, scope: string): void {
  const grants = grantsOf(actor);
  if (grants === null || grants.some((grant) => covers(grant, scope))) return;
  throw plinthError("Forbidden", { scope });
}

function covers(grant: string, wanted: string): boolean {
  const [object = "", permission = ""] = grant.split(":");
  const [wantedObject = "", wantedPermission = ""] = wanted.split(":");
  // A narrower kind opens the call; the function behind it sees the grants and holds it to the kind.
  if (object !== wantedObject && KINDS[wantedObject]?.includes(object) !== true) return false;
  if (permission === "all" || permission === wantedPermission) return true;
  return permission === "write" && wantedPermission !== "execute";
}

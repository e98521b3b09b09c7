/**
 * Who may run operations on documents that are made from the schema. They pass by the author's own functions and what these check, so a
 * key that may call functions is not enough.
 *
 * A1 An admin key may; so may the branch's own code: calls that functions, schedules and flows of the branch make.
 * A2 A service account or agent may what its scopes `<object>:<permission>` say, and no more, whatever key or code it acts through.
 * A3 Everybody else may not, keys with `invoke` included.
 */
export interface ObjectAccessRequest {
  readonly actor: { readonly kind: "anonymous" | "key" | "function" | "schedule" | "service"; readonly scopes: readonly string[] };
  /** Of a service account or agent. */
  readonly grants: readonly string[] | undefined;
  /** `<object>:<permission>` that the operation needs. */
  readonly scope: string;
}

export function mayUseObjects({ actor, grants, scope }: ObjectAccessRequest): boolean {
  if (grants !== undefined) return grants.some((grant) => covers(grant, scope));
  if (actor.kind === "function" || actor.kind === "schedule") return true;
  return actor.kind === "key" && actor.scopes.includes("admin");
}

/** `all` covers every permission, and who may write may read what is there. */
function covers(grant: string, wanted: string): boolean {
  const [object, permission] = parts(grant);
  const [wantedObject, wantedPermission] = parts(wanted);
  if (object !== wantedObject) return false;
  return permission === wantedPermission || permission === "all" || (wantedPermission === "read" && permission === "write");
}

function parts(scope: string): readonly [string, string] {
  const colon = scope.lastIndexOf(":");
  return [scope.slice(0, Math.max(colon, 0)), scope.slice(colon + 1)];
}

/**
 * Who may execute an operation. Functions of the branch decide about their own callers; everything else does more than a key that may
 * call functions is for: it passes by the author's checks, runs packages with their credentials, or reaches other systems.
 *
 * O1 Operations of tables: as `object-access.ts` says, with the scopes that the operation declares.
 * O2 Native ones and those of packages: the branch's own code, keys with `deploy` or `admin`, and the scope `operation:execute`.
 */
import type { Operation } from "../operations/operation.ts";
import { mayUseObjects, type ObjectAccessRequest } from "./object-access.ts";

export type OperationAccessRequest = Pick<ObjectAccessRequest, "actor" | "grants"> & {
  readonly operation: Pick<Operation, "origin" | "scopes">;
};

export const EXECUTE_SCOPE = "operation:execute";

/** The scope that is missing; undefined when the caller may. */
export function missingScope({ actor, grants, operation }: OperationAccessRequest): string | undefined {
  switch (operation.origin) {
    case "function":
    case "flow":
      return undefined;
    case "object":
      return operation.scopes.find(({ scope }) => !mayUseObjects({ actor, grants, scope }))?.scope;
    case "native":
    case "package": {
      const deploys = grants === undefined && actor.kind === "key" && actor.scopes.includes("deploy");
      return deploys || mayUseObjects({ actor, grants, scope: EXECUTE_SCOPE }) ? undefined : EXECUTE_SCOPE;
    }
  }
}

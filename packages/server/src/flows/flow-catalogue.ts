/** What flows of a branch may call, for the checker: operations and functions as they are now. */
import type { FlowCatalogue } from "@plinth/core/flow/catalogue.ts";
import type { Operation } from "@plinth/core/operations/operation.ts";
import { isCallable } from "@plinth/core/flow/check-trigger.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_TRIGGERS } from "../database/record-tables.ts";
import type { Deploys } from "../deploys/deploys.ts";
import { normalizePath } from "../engine/function-address.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { Operations } from "../operations/operations.ts";

export interface FlowCatalogueParts {
  readonly operations: Pick<Operations, "list">;
  readonly deploys: Pick<Deploys, "list">;
  readonly database: Pick<Database, "read">;
  readonly keyrings: Pick<Keyrings, "list">;
}

/** `self`: name of the flow that is checked, which may run itself before it is there. */
export async function flowCatalogue(
  { operations, deploys, database, keyrings }: FlowCatalogueParts,
  scope: Scope,
  self?: string,
): Promise<FlowCatalogue> {
  const page = { prefix: [], limit: limit("flowsMax") };
  const [listed, functions, triggers, connections] = await Promise.all([
    operations.list(scope),
    deploys.list(scope),
    database.read(scope, ({ records }) => records.range(FLOW_TRIGGERS, page)),
    keyrings.list(scope, {}),
  ]);
  const callable = new Set(triggers.filter(({ value }) => isCallable(value)).map(({ value }) => value.flow));
  if (self !== undefined) callable.add(self);
  const actions = listed.filter(({ type }) => type === "action");
  const bySlug = Map.groupBy(actions, ({ slug }) => slug);
  const byName = new Map(actions.map((operation) => [`${operation.namespace}/${operation.slug}`, operation]));
  const kinds = new Map(functions.map(({ path, kind }) => [path, kind]));
  return {
    operation: (name) => byName.get(name) ?? meantBy(bySlug.get(name) ?? []),
    operationNames: () => [...bySlug.keys()],
    function: (path) => {
      // Functions of packages are known to the snap-ins that are installed when it runs.
      if (path.startsWith("@")) return { kind: "handler", output: "any" };
      const kind = kinds.get(normalizePath(path));
      return kind === "query" || kind === "mutation" || kind === "action" ? { kind, output: "any" } : undefined;
    },
    functionPaths: () => [...kinds.keys()],
    flow: (name) => (callable.has(name) ? { input: "any", output: "any" } : undefined),
    flowNames: () => [...callable],
    hasConnection: (name) => connections.some((keyring) => keyring.name === name && keyring.owner.user === undefined),
  };
}

/** O2 of core/operations/operation.ts */
function meantBy(same: readonly Operation[]): Operation | undefined {
  const own = same.find(({ origin }) => origin === "native") ?? same.find(({ origin }) => origin === "object");
  return own ?? (same.length === 1 ? same[0] : same.find(({ origin }) => origin === "function"));
}

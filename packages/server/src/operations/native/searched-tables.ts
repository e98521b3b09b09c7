/** Which tables of a branch somebody may search, by the same rules as operations on their documents. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isList } from "@plinth/core/operations/json-schema.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import { mayUseObjects } from "@plinth/core/policy/object-access.ts";
import type { NativeContext } from "../../engine/native-code.ts";
import type { Search } from "../../search/search.ts";
import { nativeField } from "./describe.ts";
import type { NativeCall } from "./native-operation.ts";

export const TABLES_FIELD = nativeField("tables", "array", "Tables to search; all that the caller may read when absent.", {
  schema: { type: "array", items: { type: "string", maxLength: limit("identifierBytesMax") }, maxItems: limit("searchTablesMax") },
});

export const FILTERS_FIELD = nativeField(
  "filters",
  "struct",
  "Field → value that documents have to have there. Only texts, numbers, true, false and null.",
  {
    schema: {
      type: "object",
      additionalProperties: {
        anyOf: [{ type: "string", maxLength: limit("searchFilterCharsMax") }, { type: ["number", "boolean", "null"] }],
      },
      maxProperties: limit("searchFiltersMax"),
    },
  },
);

/** Tables that the caller may read. */
export async function readableTables(search: Search, context: NativeContext, { grants }: NativeCall): Promise<readonly string[]> {
  const { actor } = context.request;
  const own = actor.service?.objectScopes;
  const lists = grants === undefined || own === undefined ? [grants ?? own] : [grants, own];
  const tables = await search.tables(context.scope);
  // Nobody has a scope for the documents of tables that the schema does not declare.
  return [...tables].flatMap(([table, object]) =>
    lists.every((list) => (object !== null || list === undefined) && mayUseObjects({ actor, grants: list, scope: `${object}:read` }))
      ? [table]
      : [],
  );
}

/** Throws for a named table that may not be read, in the same words as for one that is not there. */
export function chosenTables(json: Json | undefined, readable: readonly string[]): readonly string[] {
  if (!isList(json)) {
    const max = limit("searchTablesMax");
    if (readable.length > max)
      throw plinthError("LimitExceeded", { what: "Tables of one search; name some", actual: readable.length, max });
    return readable;
  }
  const named = json.filter((table) => typeof table === "string");
  const missing = named.find((table) => !readable.includes(table));
  if (missing !== undefined)
    throw plinthError("InvalidArgument", { detail: `There is no table \`${missing.slice(0, 64)}\` that you may read.` });
  return named;
}

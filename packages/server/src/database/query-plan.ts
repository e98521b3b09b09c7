/** From a query as a function wrote it to a range of store keys. */
import { buildIndexRange, type IndexKeyRange } from "@plinth/core/documents/index-range.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyRange } from "../store/store.ts";
import type { Catalogue, TableInfo } from "./catalogue.ts";
import { firstInternalIdFrom } from "./internal-ids.ts";
import type { KeySpace } from "./key-space.ts";
import type { Operator, ParsedQuery } from "./parse-syscalls.ts";

export interface QueryPlan {
  /** null when the table does not exist: there are no rows. */
  readonly source: QuerySource | null;
  readonly order: "asc" | "desc";
  readonly operators: readonly Operator[];
}

export interface QuerySource {
  readonly table: number;
  readonly range: KeyRange;
  /** `documents`: entries are documents. `index`: the value of an entry is the internal id of its document. */
  readonly kind: "documents" | "index";
  /** First bytes of the keys of the index; a cursor holds what follows. */
  readonly all: KeyRange;
}

export function planQuery(query: ParsedQuery, catalogue: Catalogue, keys: KeySpace): QueryPlan {
  return { source: planSource(query, catalogue, keys), order: query.order, operators: query.operators };
}

function planSource(query: ParsedQuery, catalogue: Catalogue, keys: KeySpace): QuerySource | null {
  const table = catalogue.table(query.table);
  const indexName = `${query.table}.${query.index}`;
  switch (query.index) {
    case "by_id": {
      const range = buildIndexRange({ indexName, fields: ["_id"], range: query.range });
      if (table === undefined) return null;
      const all = keys.documents(table.number);
      return { table: table.number, kind: "documents", range: documentRange(table.number, range, { keys, all }), all };
    }
    case "by_creation_time": {
      const range = buildIndexRange({ indexName, fields: ["_creationTime"], range: query.range });
      return table === undefined ? null : indexSource(keys, { table: table.number, index: table.creationIndex, range });
    }
    default: {
      const index = findIndex(query, table, catalogue);
      const range = buildIndexRange({ indexName, fields: index.fields, range: query.range });
      return indexSource(keys, { table: index.table, index: index.number, range });
    }
  }
}

function findIndex(query: ParsedQuery, table: TableInfo | undefined, catalogue: Catalogue): Catalogue["data"]["indexes"][number] {
  const name = `${query.table}.${query.index}`.slice(0, 140);
  const indexes = table === undefined ? [] : catalogue.indexes(table.number).filter((index) => index.name === query.index);
  const ready = indexes.find((index) => index.state === "ready");
  if (ready !== undefined && !ready.staged) return ready;
  if (catalogue.rules.isSearchIndex(query.table, query.index))
    throw plinthError("NotAvailable", { what: `The search or vector index ${name}` });
  if (ready !== undefined) throw plinthError("InvalidArgument", { detail: `Index ${name} is staged and cannot be queried yet.` });
  if (indexes.length > 0)
    throw plinthError("InvalidArgument", { detail: `Index ${name} is currently backfilling and not available to query yet.` });
  throw plinthError("InvalidArgument", { detail: `Index ${name} not found.` });
}

function indexSource(
  keys: KeySpace,
  { table, index, range }: { readonly table: number; readonly index: number; readonly range: IndexKeyRange },
): QuerySource {
  const all = keys.index(index);
  return {
    table,
    kind: "index",
    range: { start: keys.indexKey(index, range.start), end: range.end === null ? all.end : keys.indexKey(index, range.end) },
    all,
  };
}

function documentRange(table: number, range: IndexKeyRange, { keys, all }: { readonly keys: KeySpace; readonly all: KeyRange }): KeyRange {
  const bound = (encoded: Uint8Array | null): Uint8Array => {
    const internalId = encoded === null ? null : firstInternalIdFrom(table, encoded);
    return internalId === null ? all.end : keys.document(table, internalId);
  };
  return { start: bound(range.start), end: bound(range.end) };
}

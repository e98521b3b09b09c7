/** What a new schema changes: pure decisions from one catalogue to the next. */
import { must } from "@plinth/core/assert.ts";
import { Catalogue, type IndexInfo, type TableInfo } from "./catalogue.ts";
import type { SchemaRules } from "./schema-rules.ts";

/** Work on the documents of one table. */
export interface TableWork {
  readonly table: TableInfo;
  /** Indexes to fill. */
  readonly indexes: readonly IndexInfo[];
  /** Whether documents are to be checked against the new validator. */
  readonly check: boolean;
}

export interface Declaration {
  readonly catalogue: Catalogue;
  /** Numbers of indexes whose entries are garbage now. */
  readonly dropped: readonly number[];
  readonly work: readonly TableWork[];
  readonly indexesAdded: readonly string[];
  readonly indexesRemoved: readonly string[];
}

/** The catalogue without the schema that was being prepared. */
export function withoutPending(catalogue: Catalogue): { readonly catalogue: Catalogue; readonly dropped: readonly number[] } {
  const { data } = catalogue;
  if (data.pending === null) return { catalogue, dropped: [] };
  const dropped = data.indexes.filter((index) => index.state === "backfilling");
  const tables = data.tables.filter((table) => !table.hidden);
  return {
    catalogue: catalogue.change({ pending: null, tables, indexes: data.indexes.filter((index) => index.state === "ready") }),
    dropped: dropped.map((index) => index.number),
  };
}

/** Enters a new schema as the pending one: hidden tables and backfilling indexes. `before` has no pending schema. */
export function declarePending(
  before: Catalogue,
  schema: { readonly id: string; readonly schemaText: string | null; readonly rules: SchemaRules; readonly secret: () => Uint8Array },
): Omit<Declaration, "dropped"> {
  const { rules, secret } = schema;
  let catalogue = before;
  for (const name of rules.tableNames()) {
    if (catalogue.table(name) === undefined) catalogue = catalogue.withTable(name, { secret, hidden: true }).catalogue;
  }
  let { nextIndex } = catalogue.data;
  const added: IndexInfo[] = [];
  const work: TableWork[] = [];
  for (const name of rules.tableNames()) {
    const table = must(catalogue.table(name), "a declared table exists");
    const missing = rules.indexes(name).filter((declared) => !catalogue.indexes(table.number).some((index) => sameIndex(index, declared)));
    const indexes = missing.map(({ name: indexName, fields, staged }): IndexInfo => ({
      number: nextIndex++,
      table: table.number,
      name: indexName,
      fields,
      state: "backfilling",
      staged,
    }));
    added.push(...indexes);
    const check = rules.validator(name) !== undefined && !before.rules.sameValidator(name, rules);
    if (!table.hidden && (check || indexes.length > 0)) work.push({ table, indexes, check });
  }
  const nameOf = (index: IndexInfo): string => `${catalogue.tableByNumber(index.table)?.name ?? index.table}.${index.name}`;
  return {
    catalogue: catalogue.change({
      nextIndex,
      indexes: [...catalogue.data.indexes, ...added],
      pending: { id: schema.id, schemaText: schema.schemaText },
    }),
    work,
    indexesAdded: added.map(nameOf),
    indexesRemoved: before.data.indexes.filter((index) => !isDeclared(index, before, rules)).map(nameOf),
  };
}

/** The pending schema becomes the active one. */
export function activatePending(before: Catalogue): { readonly catalogue: Catalogue; readonly dropped: readonly number[] } {
  const { data } = before;
  const pending = must(data.pending, "a schema is pending");
  const rules = must(before.pendingRules, "a schema is pending");
  const kept: IndexInfo[] = [];
  const dropped: number[] = [];
  for (const index of data.indexes) {
    if (index.state === "backfilling" || isDeclared(index, before, rules)) {
      const table = must(before.tableByNumber(index.table), "an index has a table");
      const declared = rules.indexes(table.name).find((one) => sameIndex(index, one));
      kept.push({ ...index, state: "ready", staged: declared?.staged ?? false });
    } else {
      dropped.push(index.number);
    }
  }
  const tables = data.tables.map((table) => (table.hidden ? { ...table, hidden: false } : table));
  return { catalogue: before.change({ tables, indexes: kept, schemaText: pending.schemaText, pending: null }), dropped };
}

function isDeclared(index: IndexInfo, catalogue: Catalogue, rules: SchemaRules): boolean {
  const table = catalogue.tableByNumber(index.table);
  return table !== undefined && rules.indexes(table.name).some((declared) => sameIndex(index, declared));
}

function sameIndex(
  index: { readonly name: string; readonly fields: readonly string[] },
  other: { readonly name: string; readonly fields: readonly string[] },
): boolean {
  return (
    index.name === other.name &&
    index.fields.length === other.fields.length &&
    index.fields.every((field, at) => field === other.fields[at])
  );
}

/** Reads a stored catalogue. What is stored was written by this host or an older one, so a failure is damage, not input. */
import { assert } from "@plinth/core/assert.ts";
import type { CatalogueBase, CatalogueData, IndexInfo, PendingSchema, TableInfo } from "./catalogue.ts";

export function parseCatalogue(json: unknown): CatalogueData {
  const data = record(json);
  return {
    cursorSecret: text(data["cursorSecret"]),
    nextTable: whole(data["nextTable"]),
    nextIndex: whole(data["nextIndex"]),
    tables: list(data["tables"]).map(parseTable),
    indexes: list(data["indexes"]).map(parseIndex),
    schemaText: textOrNull(data["schemaText"]),
    pending: data["pending"] === null ? null : parsePending(data["pending"]),
    // Catalogues of older hosts do not have it.
    base: data["base"] === null || data["base"] === undefined ? null : parseBase(data["base"]),
    watched: data["watched"] === undefined ? [] : list(data["watched"]).map(text),
  };
}

function parseTable(json: unknown): TableInfo {
  const table = record(json);
  return {
    name: text(table["name"]),
    number: whole(table["number"]),
    creationIndex: whole(table["creationIndex"]),
    hidden: table["hidden"] === true,
  };
}

function parseIndex(json: unknown): IndexInfo {
  const index = record(json);
  const state = index["state"];
  assert(state === "backfilling" || state === "ready", "an index is backfilling or ready");
  return {
    number: whole(index["number"]),
    table: whole(index["table"]),
    name: text(index["name"]),
    fields: list(index["fields"]).map(text),
    state,
    staged: index["staged"] === true,
  };
}

function parsePending(json: unknown): PendingSchema {
  const pending = record(json);
  return { id: text(pending["id"]), schemaText: textOrNull(pending["schemaText"]) };
}

function parseBase(json: unknown): CatalogueBase {
  const base = record(json);
  return {
    layers: list(base["layers"]).map((layer) => {
      const { branch, at } = record(layer);
      return { branch: text(branch), at: whole(at) };
    }),
    tablesEnd: whole(base["tablesEnd"]),
    indexesEnd: whole(base["indexesEnd"]),
    pins: list(base["pins"]).map(text),
  };
}

function record(json: unknown): Readonly<Record<string, unknown>> {
  assert(typeof json === "object" && json !== null && !Array.isArray(json), "a part of a catalogue is an object");
  return json as Readonly<Record<string, unknown>>;
}

function list(json: unknown): readonly unknown[] {
  assert(Array.isArray(json), "a part of a catalogue is a list");
  return json;
}

function text(json: unknown): string {
  assert(typeof json === "string", "a part of a catalogue is a text");
  return json;
}

function textOrNull(json: unknown): string | null {
  return json === null ? null : text(json);
}

function whole(json: unknown): number {
  assert(Number.isSafeInteger(json), "a part of a catalogue is a whole number");
  return json as number;
}

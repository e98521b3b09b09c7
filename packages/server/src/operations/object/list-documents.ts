/** One page of the documents of a table: from an index where one serves the filter, checked one by one where none does. */
import { valueFromJson, valueToJson } from "@plinth/core/documents/values.ts";
import { limit } from "@plinth/core/limits.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import { indexForFilter, type ObjectOperation } from "@plinth/core/operations/object-operations.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { valueOfPlain } from "@plinth/core/operations/plain-values.ts";
import type { Transaction } from "../../database/database.ts";
import { plainDocument } from "./plain-document.ts";

interface Page {
  readonly page: readonly unknown[];
  readonly isDone: boolean;
  readonly continueCursor: string;
}

export async function listDocuments(transaction: Transaction, found: ObjectOperation, input: JsonObject): Promise<JsonObject> {
  const { filter = {}, limit: pageSize, cursor = null, order } = input;
  const query = queryOf(found, isObject(filter) ? filter : {}, order === "desc" ? "desc" : "asc");
  const text = await transaction.syscall(
    "1.0/queryPage",
    JSON.stringify({ query, cursor, pageSize, maximumRowsRead: limit("objectListReadRowsMax") }),
  );
  const { page, isDone, continueCursor } = JSON.parse(text) as Page;
  return {
    items: page.map((document) => plainDocument(found.fields, valueFromJson(document))),
    has_more: !isDone,
    ...(isDone ? {} : { next_cursor: continueCursor }),
  };
}

function queryOf({ table, fields }: ObjectOperation, filter: JsonObject, order: "asc" | "desc") {
  const values = new Map(
    Object.entries(filter).map(([name, json]) => [name, valueToJson(valueOfPlain(fields?.get(name)?.validator ?? { type: "any" }, json))]),
  );
  const best = indexForFilter(table.indexes, new Set(values.keys()));
  const served = best?.index.fields.slice(0, best.served) ?? [];
  const source =
    best === undefined
      ? { type: "FullTableScan", tableName: table.name, order }
      : {
          type: "IndexRange",
          indexName: `${table.name}.${best.index.name}`,
          range: served.map((fieldPath) => ({ type: "Eq", fieldPath, value: values.get(fieldPath) })),
          order,
        };
  const rest = [...values]
    .filter(([name]) => !served.includes(name))
    .map(([name, value]) => ({ $eq: [{ $field: name }, { $literal: value }] }));
  return { source, operators: rest.length === 0 ? [] : [{ filter: { $and: rest } }] };
}

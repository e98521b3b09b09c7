/** Reads the arguments of database calls. All of it is hostile: user code can make any call with any text. */
import { type DocumentId, decodeDocumentId } from "@plinth/core/documents/ids.ts";
import { type Expression, parseExpression } from "@plinth/core/documents/filter.ts";
import { identifierProblem } from "@plinth/core/documents/field-names.ts";
import { isTag } from "@plinth/core/documents/argument-value.ts";
import { isValueObject, valueFromJson, type ValueObject } from "@plinth/core/documents/values.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** The deepest argument is a filter of two JSON levels for each of its own, with a value inside. */
const ARGUMENT_JSON_DEPTH = 2 * limit("filterDepthMax") + limit("valueDepthMax") + 8;

/** An id as user code gave it. */
export interface IdArgument extends DocumentId {
  readonly text: string;
  /** The table that the caller says it is of. */
  readonly table: string | undefined;
}

export function parseGet(text: string): { readonly id: IdArgument; readonly isSystem: boolean } {
  const json = parseArguments("db.get", text);
  const { isSystem } = json as { isSystem?: unknown };
  if (isSystem !== undefined && typeof isSystem !== "boolean") throw invalid("db.get", "isSystem", "it has to be true or false");
  return { id: parseId("db.get", json), isSystem: isSystem ?? false };
}

export function parseInsert(text: string): { readonly table: string; readonly value: ValueObject } {
  const json = parseArguments("db.insert", text);
  return { table: parseTable("db.insert", "table", json["table"]), value: parseObject("db.insert", json["value"]) };
}

export function parseReplace(text: string): { readonly id: IdArgument; readonly value: ValueObject } {
  const json = parseArguments("db.replace", text);
  return { id: parseId("db.replace", json), value: parseObject("db.replace", json["value"]) };
}

/** `removed` are the fields that the patch takes away. */
export function parsePatch(text: string): { readonly id: IdArgument; readonly value: ValueObject; readonly removed: readonly string[] } {
  const json = parseArguments("db.patch", text);
  const id = parseId("db.patch", json);
  const { value } = json as { value?: unknown };
  if (!isJsonObject(value)) throw invalid("db.patch", "value", "it has to be an object");
  const removed = Object.keys(value).filter((field) => isTag(value[field], "$undefined"));
  if (removed.length === 0) return { id, value: parseObject("db.patch", value), removed };
  const kept = Object.fromEntries(Object.entries(value).filter(([field]) => !removed.includes(field)));
  return { id, value: parseObject("db.patch", kept), removed };
}

export function parseRemove(text: string): { readonly id: IdArgument } {
  return { id: parseId("db.delete", parseArguments("db.delete", text)) };
}

export function parseCount(text: string): { readonly table: string } {
  return { table: parseTable("count", "table", parseArguments("count", text)["table"], { system: true }) };
}

export type Operator = { readonly kind: "filter"; readonly expression: Expression } | { readonly kind: "limit"; readonly rows: number };

export interface ParsedQuery {
  readonly table: string;
  readonly index: string;
  /** For `buildIndexRange`, which checks it. */
  readonly range: unknown;
  readonly order: "asc" | "desc";
  readonly operators: readonly Operator[];
  /** The same for the same query. */
  readonly text: string;
}

export interface QueryNextArguments {
  readonly stream: number;
  readonly rows: number;
  /** Present in the first request of a stream. */
  readonly query: ParsedQuery | undefined;
}

export function parseQueryNext(text: string): QueryNextArguments {
  const json = parseArguments("query", text, limit("queryBytesMax"));
  const rows = parseCountOf("query", "rows", json["rows"]);
  return {
    stream: parseStream(json),
    rows: Math.min(Math.max(rows, 1), limit("queryPageSizeMax")),
    query: json["query"] === undefined ? undefined : parseQuery("query", json["query"]),
  };
}

export function parseQueryClose(text: string): { readonly stream: number } {
  return { stream: parseStream(parseArguments("query", text)) };
}

export interface QueryPageArguments {
  readonly query: ParsedQuery;
  readonly cursor: string | null;
  readonly endCursor: string | null;
  readonly pageSize: number;
  readonly maximumRowsRead: number | null;
  readonly maximumBytesRead: number | null;
}

export function parseQueryPage(text: string): QueryPageArguments {
  const method = "paginate";
  const json = parseArguments(method, text, limit("queryBytesMax"));
  const pageSize = parseCountOf(method, "numItems", json["pageSize"]);
  if (pageSize === 0) throw plinthError("InvalidArgument", { detail: "Must request at least 1 document while paginating" });
  const maximumRowsRead = parseMaximum(method, "maximumRowsRead", json["maximumRowsRead"]);
  const maximumBytesRead = parseMaximum(method, "maximumBytesRead", json["maximumBytesRead"]);
  return {
    query: parseQuery(method, json["query"]),
    cursor: parseCursor(method, "cursor", json["cursor"]),
    endCursor: parseCursor(method, "endCursor", json["endCursor"]),
    pageSize: Math.min(pageSize, limit("queryPageSizeMax")),
    maximumRowsRead,
    maximumBytesRead,
  };
}

function parseQuery(method: string, json: unknown): ParsedQuery {
  if (!isJsonObject(json)) throw invalid(method, "query", "it has to be an object");
  const { source, operators } = json as { source?: unknown; operators?: unknown };
  if (!isJsonObject(source)) throw invalid(method, "query", "its source has to be an object");
  return { ...parseSource(method, source), operators: parseOperators(method, operators), text: JSON.stringify([source, operators]) };
}

function parseSource(method: string, source: JsonObject): Pick<ParsedQuery, "table" | "index" | "range" | "order"> {
  const order = source["order"] ?? "asc";
  if (order !== "asc" && order !== "desc") throw invalid(method, "order", "it has to be asc or desc");
  switch (source["type"]) {
    case "FullTableScan":
      return { table: parseTable(method, "tableName", source["tableName"], { system: true }), index: "by_creation_time", range: [], order };
    case "IndexRange": {
      const { indexName } = source as { indexName?: unknown };
      const [table, index, ...rest] = typeof indexName === "string" ? indexName.split(".") : [];
      if (index === undefined || rest.length > 0) throw invalid(method, "indexName", "it has to be `table.index`");
      return { table: parseTable(method, "indexName", table, { system: true }), index, range: source["range"], order };
    }
    case "Search":
      throw plinthError("NotAvailable", { what: "Text search (`withSearchIndex`)" });
    default:
      throw invalid(method, "query", "its source is FullTableScan, IndexRange or Search");
  }
}

function parseOperators(method: string, json: unknown): Operator[] {
  const max = limit("queryOperatorsMax");
  if (!Array.isArray(json)) throw invalid(method, "query", "its operators have to be a list");
  if (json.length > max) throw plinthError("LimitExceeded", { what: "Operators of a query", actual: json.length, max });
  return json.map((operator: unknown) => {
    if (isJsonObject(operator) && Object.keys(operator).length === 1) {
      if (operator["filter"] !== undefined) return { kind: "filter", expression: parseExpression(operator["filter"]) };
      if (operator["limit"] !== undefined) return { kind: "limit", rows: parseCountOf(method, "limit", operator["limit"]) };
    }
    throw invalid(method, "query", "an operator is a filter or a limit");
  });
}

function parseArguments(method: string, text: string, bytesMax: number = limit("databaseCallBytesMax")): JsonObject {
  if (text.length > bytesMax)
    throw plinthError("LimitExceeded", { what: `Bytes of the arguments of ${method}`, actual: text.length, max: bytesMax });
  let json: unknown;
  try {
    scanJsonText(text, { depthMax: ARGUMENT_JSON_DEPTH, what: `argument of ${method}` });
    json = JSON.parse(text);
  } catch (error) {
    throw asInvalidArgument(error, `The arguments of \`${method}\` are not valid JSON`);
  }
  if (!isJsonObject(json)) throw plinthError("InvalidArgument", { detail: `The arguments of \`${method}\` have to be an object.` });
  return json;
}

function parseId(method: string, json: JsonObject): IdArgument {
  const { id: text, table } = json as { id?: unknown; table?: unknown };
  if (typeof text !== "string") throw invalid(method, "id", `expected string but got '${typeof text}'`);
  if (table !== undefined && typeof table !== "string") throw invalid(method, "table", `expected string but got '${typeof table}'`);
  const id = decodeDocumentId(text);
  if (id === null) throw invalid(method, "id", `Unable to decode ID: ${JSON.stringify(text.slice(0, 80))} is not an ID`);
  return { tableNumber: id.tableNumber, internalId: id.internalId, text, table };
}

function parseTable(method: string, argument: string, name: unknown, options?: { readonly system: boolean }): string {
  if (typeof name !== "string") throw invalid(method, argument, `expected string but got '${typeof name}'`);
  if (name.startsWith("_")) {
    if (options?.system === true && identifierProblem(name.slice(1)) === null) return name;
    throw invalid(method, argument, "System tables (prefixed with `_`) are read-only.");
  }
  const problem = identifierProblem(name);
  if (problem !== null) throw invalid(method, argument, `${JSON.stringify(name.slice(0, 80))} is not the name of a table: ${problem}`);
  return name;
}

function parseObject(method: string, json: unknown): ValueObject {
  let value;
  try {
    value = valueFromJson(json);
  } catch (error) {
    throw asInvalidArgument(error, `Invalid argument \`value\` for \`${method}\``);
  }
  if (!isValueObject(value)) throw invalid(method, "value", "it has to be an object");
  return value;
}

function parseStream(json: JsonObject): number {
  return parseCountOf("query", "stream", json["stream"]);
}

function parseCursor(method: string, argument: string, json: unknown): string | null {
  if (json === undefined || json === null) return null;
  if (typeof json !== "string") throw invalid(method, argument, "it has to be a cursor or null");
  return json;
}

function parseMaximum(method: string, argument: string, json: unknown): number | null {
  if (json === undefined || json === null) return null;
  const maximum = parseCountOf(method, argument, json);
  if (maximum === 0) throw plinthError("InvalidArgument", { detail: "maximumRowsRead and maximumBytesRead must be greater than 0" });
  return maximum;
}

function parseCountOf(method: string, argument: string, json: unknown): number {
  if (typeof json !== "number" || !Number.isSafeInteger(json) || json < 0)
    throw invalid(method, argument, "it has to be a whole number that is not negative");
  return json;
}

function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function invalid(method: string, argument: string, why: string): Error {
  return plinthError("InvalidArgument", { detail: `Invalid argument \`${argument}\` for \`${method}\`: ${why}` });
}

function asInvalidArgument(error: unknown, what: string): Error {
  if (error instanceof PlinthError && (error.code === "LimitExceeded" || error.code === "TooManyValues")) return error;
  const detail = error instanceof Error ? error.message : "it cannot be read";
  return plinthError("InvalidArgument", { detail: `${what}: ${detail}` }, { cause: error });
}

/** Schemas: read from the hostile text that `schema.export()` returns. */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { fieldNameProblem, identifierProblem } from "./field-names.ts";
import { isJsonObject, parsePackageJson, parseValidator } from "./validator-json.ts";
import type { Validator } from "./validators.ts";

export interface IndexSchema {
  readonly name: string;
  /** As declared; keys have `_creationTime` and `_id` after them. */
  readonly fields: readonly string[];
  /** Staged indexes are filled but not queried yet. */
  readonly staged: boolean;
}

export interface SearchIndexSchema {
  readonly name: string;
  readonly searchField: string;
  readonly filterFields: readonly string[];
  readonly staged: boolean;
}

export interface VectorIndexSchema {
  readonly name: string;
  readonly vectorField: string;
  readonly dimensions: number;
  readonly filterFields: readonly string[];
  readonly staged: boolean;
}

export interface TableSchema {
  readonly name: string;
  readonly indexes: readonly IndexSchema[];
  /** Declared only: no query can use them yet. */
  readonly searchIndexes: readonly SearchIndexSchema[];
  /** Declared only: no query can use them yet. */
  readonly vectorIndexes: readonly VectorIndexSchema[];
  /** Of documents without their system fields. */
  readonly documentType: Validator;
}

export interface Schema {
  readonly tables: ReadonlyMap<string, TableSchema>;
  /** Whether documents are checked against `documentType`. */
  readonly schemaValidation: boolean;
}

const RESERVED_INDEX_NAMES: ReadonlySet<string> = new Set(["by_id", "by_creation_time"]);
const VECTOR_DIMENSIONS_MIN = 2;
/** Validators are the deepest part: three JSON levels each, inside of a table of the list. */
const SCHEMA_JSON_DEPTH = 3 * limit("validatorDepthMax") + 8;

type JsonObject = Readonly<Record<string, unknown>>;

/** Throws InvalidPackage, which says where the schema is wrong and what to write. */
export function parseSchema(text: string): Schema {
  const json = parsePackageJson(text, "schema", SCHEMA_JSON_DEPTH);
  if (!isJsonObject(json) || !Array.isArray(json["tables"])) {
    throw invalid("the default export of `schema.ts` has to be made by `defineSchema({...})`");
  }
  const { schemaValidation } = json as { schemaValidation?: unknown };
  if (typeof schemaValidation !== "boolean") throw invalid("`schemaValidation` has to be true or false");
  const tables = new Map<string, TableSchema>();
  const tablesMax = limit("tablesPerBranchMax");
  if (json["tables"].length > tablesMax) throw invalid(`it has ${json["tables"].length} tables and may have ${tablesMax}`);
  for (const tableJson of json["tables"]) {
    const table = parseTable(tableJson);
    if (tables.has(table.name)) throw invalid(`the table \`${table.name}\` is defined twice; keep one`);
    tables.set(table.name, table);
  }
  return { tables, schemaValidation };
}

function parseTable(json: unknown): TableSchema {
  if (!isJsonObject(json) || typeof json["tableName"] !== "string") throw invalid("every table is made by `defineTable({...})`");
  const name = json["tableName"];
  const problem = identifierProblem(name);
  if (problem !== null) throw invalid(`the table name ${shown(name)} is not valid: ${problem}; rename the table`);
  const where = `the table \`${name}\``;
  const table: TableSchema = {
    name,
    indexes: [...parseIndexes(json, "indexes", false, where), ...parseIndexes(json, "stagedDbIndexes", true, where)],
    searchIndexes: [
      ...parseSearchIndexes(json, "searchIndexes", false, where),
      ...parseSearchIndexes(json, "stagedSearchIndexes", true, where),
    ],
    vectorIndexes: [
      ...parseVectorIndexes(json, "vectorIndexes", false, where),
      ...parseVectorIndexes(json, "stagedVectorIndexes", true, where),
    ],
    documentType: parseDocumentType(json["documentType"], where),
  };
  checkIndexNames(table, where);
  return table;
}

function checkIndexNames(table: TableSchema, where: string): void {
  const all = [...table.indexes, ...table.searchIndexes, ...table.vectorIndexes];
  const max = limit("indexesPerTableMax");
  if (all.length > max) throw invalid(`${where} has ${all.length} indexes and may have ${max}; drop some`);
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) throw invalid(`${where} has two indexes named \`${name}\`; rename one`);
    names.add(name);
  }
}

/** null and an absent validator mean a table without one. */
function parseDocumentType(json: unknown, where: string): Validator {
  if (json === undefined || json === null) return { type: "any" };
  const validator = parseValidator(json);
  const parts = validator.type === "union" ? validator.members : [validator];
  for (const part of parts) {
    if (part.type === "any" && validator.type === "any") continue;
    if (part.type !== "object") throw invalid(`the documents of ${where} have to be \`v.object\`, a union of objects, or \`v.any\``);
    for (const field of part.fields.keys()) {
      if (field.startsWith("_"))
        throw invalid(`${where} declares the field ${shown(field)}; names with \`_\` are system fields, leave it out`);
      const max = limit("topLevelFieldNameBytesMax");
      if (field.length > max) throw invalid(`${where} declares the field ${shown(field)}; top-level names have at most ${max} characters`);
    }
  }
  return validator;
}

function parseIndexes(table: JsonObject, key: string, staged: boolean, where: string): IndexSchema[] {
  return listOf(table, key, where).map((json) => {
    const name = parseIndexName(json, where);
    const at = `the index \`${name}\` of ${where}`;
    const fields = parseFields(json["fields"], at);
    if (fields.length === 0) throw invalid(`${at} has no fields; name at least one`);
    if (fields.length > limit("indexFieldsMax")) throw invalid(`${at} has ${fields.length} fields and may have ${limit("indexFieldsMax")}`);
    for (const field of fields) checkIndexField(field, at);
    return { name, fields, staged };
  });
}

function checkIndexField(field: string, at: string): void {
  if (field === "_creationTime") throw invalid(`\`_creationTime\` is added to the end of each index by itself; leave it out of ${at}`);
  if (field === "_id") throw invalid(`\`_id\` is not a field for ${at}; read documents by id with \`db.get(id)\``);
  if (field.startsWith("_")) throw invalid(`${at} uses ${shown(field)}; fields that begin with \`_\` are reserved`);
}

function parseSearchIndexes(table: JsonObject, key: string, staged: boolean, where: string): SearchIndexSchema[] {
  return listOf(table, key, where).map((json) => {
    const name = parseIndexName(json, where);
    const at = `the search index \`${name}\` of ${where}`;
    return { name, searchField: parseField(json["searchField"], at), filterFields: parseFields(json["filterFields"], at), staged };
  });
}

function parseVectorIndexes(table: JsonObject, key: string, staged: boolean, where: string): VectorIndexSchema[] {
  return listOf(table, key, where).map((json) => {
    const name = parseIndexName(json, where);
    const at = `the vector index \`${name}\` of ${where}`;
    const { dimensions } = json as { dimensions?: unknown };
    const max = limit("vectorDimensionsMax");
    if (typeof dimensions !== "number" || !Number.isInteger(dimensions) || dimensions < VECTOR_DIMENSIONS_MIN || dimensions > max) {
      throw invalid(`\`dimensions\` of ${at} is a whole number from ${VECTOR_DIMENSIONS_MIN} to ${max}`);
    }
    return {
      name,
      vectorField: parseField(json["vectorField"], at),
      dimensions,
      filterFields: parseFields(json["filterFields"], at),
      staged,
    };
  });
}

function listOf(table: JsonObject, key: string, where: string): JsonObject[] {
  // Old versions of the authoring package export no staged lists.
  const list = table[key] ?? [];
  if (!Array.isArray(list) || !list.every(isJsonObject)) throw invalid(`\`${key}\` of ${where} is not a list of indexes`);
  return list;
}

function parseIndexName(json: JsonObject, where: string): string {
  const name = json["indexDescriptor"];
  if (typeof name !== "string") throw invalid(`an index of ${where} has no name`);
  const problem = RESERVED_INDEX_NAMES.has(name) ? "every table has an index of that name already" : identifierProblem(name);
  if (problem !== null) throw invalid(`the index name ${shown(name)} of ${where} is not valid: ${problem}; rename the index`);
  return name;
}

function parseFields(json: unknown, at: string): string[] {
  if (!Array.isArray(json)) throw invalid(`${at} needs a list of fields`);
  const fields = json.map((field: unknown) => parseField(field, at));
  const twice = fields.find((field, i) => fields.indexOf(field) !== i);
  if (twice !== undefined) throw invalid(`${at} names the field ${shown(twice)} twice`);
  return fields;
}

function parseField(json: unknown, at: string): string {
  if (typeof json !== "string") throw invalid(`a field of ${at} is not a string`);
  for (const name of json.split(".")) {
    const problem = name === "" ? "it is empty, or has an empty part" : fieldNameProblem(name);
    if (problem !== null) throw invalid(`the field ${shown(json)} of ${at} is not valid: ${problem}`);
  }
  return json;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function invalid(why: string): Error {
  return plinthError("InvalidPackage", { detail: `in the schema, ${why}.` });
}

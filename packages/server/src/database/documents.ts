/** Documents of one transaction: read by id, written together with their index entries, checked against the schema. */
import { assert, must } from "@plinth/core/assert.ts";
import { decodeDocumentId, encodeDocumentId } from "@plinth/core/documents/ids.ts";
import { indexKeyFields, indexKeyValues } from "@plinth/core/documents/index-range.ts";
import { compareBytes, encodeKeyValues } from "@plinth/core/documents/keys.ts";
import { checkDocument, isValueObject, valueFromJson, valueToText, type ValueObject } from "@plinth/core/documents/values.ts";
import type { StepBudget } from "@plinth/core/documents/step-budget.ts";
import { validationBudget } from "@plinth/core/documents/validators.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { Catalogue, IndexInfo, TableInfo } from "./catalogue.ts";
import type { InternalIds } from "./internal-ids.ts";
import type { KeySpace } from "./key-space.ts";
import type { IdArgument } from "./parse-syscalls.ts";
import { isSystemTableName, SYSTEM_TABLES } from "./system-tables.ts";
import type { TransactionCatalogue } from "./transaction-catalogue.ts";
import type { Usage } from "./usage.ts";
import { storedText, textBytes, type View } from "./view.ts";

const CREATION_FIELDS: readonly string[] = ["_creationTime"];

export interface DocumentsOptions {
  readonly view: View;
  readonly keys: KeySpace;
  readonly usage: Usage;
  readonly catalogue: TransactionCatalogue;
  readonly ids: InternalIds;
  readonly nowMs: number;
}

/** A document with its place. */
interface Located {
  readonly table: TableInfo;
  readonly internalId: Uint8Array;
  readonly document: ValueObject;
  /** The stored text; undefined for a new document. */
  readonly text?: string;
}

export class Documents {
  readonly #view: View;
  readonly #keys: KeySpace;
  readonly #usage: Usage;
  readonly #catalogue: TransactionCatalogue;
  readonly #ids: InternalIds;
  readonly #nowMs: number;
  // Two, so that checks against a schema that does not serve yet take nothing away from those that decide.
  readonly #checks = validationBudget();
  readonly #pendingChecks = validationBudget();
  #lastCreationMs = Number.NEGATIVE_INFINITY;

  constructor(options: DocumentsOptions) {
    this.#view = options.view;
    this.#keys = options.keys;
    this.#usage = options.usage;
    this.#catalogue = options.catalogue;
    this.#ids = options.ids;
    this.#nowMs = options.nowMs;
  }

  /** The text of a document; null when there is none. */
  async get(id: IdArgument, isSystem: boolean): Promise<string | null> {
    this.#usage.countQuery();
    const table = this.#tableOf("db.get", id, await this.#catalogue.load());
    if (table === undefined) return null;
    guardSystemTable(table.name, isSystem);
    return this.#read(table.number, id.internalId);
  }

  async insert(tableName: string, value: ValueObject): Promise<string> {
    checkDocument(value);
    await this.#catalogue.load();
    const table = this.#catalogue.tableForWrite(tableName);
    this.#checkSchema(table, value);
    const internalId = this.#ids.next(this.#nowMs);
    const id = encodeDocumentId({ tableNumber: table.number, internalId });
    this.#checkPendingSchema(table, id, value);
    value["_id"] = id;
    value["_creationTime"] = this.#nextCreationTime();
    const text = valueToText(value);
    this.#countWrite(text);
    this.#write({ table, internalId, document: value, text });
    return id;
  }

  /** Sets the fields of `value` and takes `removed` away. */
  async patch(id: IdArgument, value: ValueObject, removed: readonly string[]): Promise<string> {
    const before = await this.#existing("db.patch", id, "Update");
    for (const field of removed) {
      if (field.startsWith("_")) throw plinthError("InvalidArgument", { detail: `The system field \`${field}\` cannot be removed.` });
    }
    const document: ValueObject = Object.assign(Object.create(null), before.document, value);
    for (const field of removed) delete document[field];
    return this.#update(before, document);
  }

  async replace(id: IdArgument, value: ValueObject): Promise<string> {
    return this.#update(await this.#existing("db.replace", id, "Replace"), value);
  }

  async remove(id: IdArgument): Promise<string> {
    const before = await this.#existing("db.delete", id, "Delete");
    this.#usage.countDocumentWritten(0);
    this.#erase(before);
    return must(before.text, "a stored document has a text");
  }

  // System documents: written by the platform alone, not counted as a user's writes.

  insertSystem(tableName: string, valueText: string): string {
    const table = {
      ...must(
        SYSTEM_TABLES.find(({ name }) => name === tableName),
        "a system table",
      ),
      hidden: false,
    };
    const document = parseDocument(valueText);
    const internalId = this.#ids.next(this.#nowMs);
    document["_id"] = encodeDocumentId({ tableNumber: table.number, internalId });
    document["_creationTime"] = this.#nextCreationTime();
    this.#write({ table, internalId, document, text: valueToText(document) });
    return document["_id"];
  }

  async replaceSystem(id: string, valueText: string): Promise<void> {
    const before = must(await this.#system(id), "the system document exists");
    const document = parseDocument(valueText);
    document["_id"] = id;
    document["_creationTime"] = must(before.document["_creationTime"], "a document has a creation time");
    this.#write({ ...before, document, text: valueToText(document) }, before.document);
  }

  async getSystem(id: string): Promise<string | null> {
    return (await this.#system(id))?.text ?? null;
  }

  async deleteSystem(id: string): Promise<void> {
    const before = await this.#system(id);
    if (before !== undefined) this.#erase(before);
  }

  async #system(id: string): Promise<Located | undefined> {
    const decoded = decodeDocumentId(id);
    const table = SYSTEM_TABLES.find(({ number }) => number === decoded?.tableNumber);
    if (decoded === null || table === undefined) return undefined;
    const bytes = await this.#view.get(this.#keys.document(table.number, decoded.internalId));
    if (bytes === undefined) return undefined;
    const text = storedText(bytes);
    return { table: { ...table, hidden: false }, internalId: decoded.internalId, document: parseDocument(text), text };
  }

  /** Reads a document and counts it. */
  async #read(table: number, internalId: Uint8Array): Promise<string | null> {
    const bytes = await this.#view.get(this.#keys.document(table, internalId));
    if (bytes === undefined) return null;
    this.#usage.countDocumentRead(bytes.length);
    return storedText(bytes);
  }

  async #existing(method: string, id: IdArgument, verb: "Update" | "Replace" | "Delete"): Promise<Located> {
    const table = this.#tableOf(method, id, await this.#catalogue.load());
    if (table !== undefined) guardSystemTable(table.name, false);
    const text = table === undefined ? null : await this.#read(table.number, id.internalId);
    if (table === undefined || text === null)
      throw plinthError("InvalidArgument", { detail: `${verb} on nonexistent document ID ${id.text}` });
    return { table, internalId: id.internalId, document: parseDocument(text), text };
  }

  /** The table of an id, which has to be the one that the caller names. */
  #tableOf(method: string, id: IdArgument, catalogue: Catalogue): TableInfo | undefined {
    const table = catalogue.tableByNumber(id.tableNumber);
    if (id.table !== undefined && table?.name !== id.table) {
      const actual = table === undefined || table.hidden ? "an Id of an unknown table" : `Id<"${table.name}">`;
      throw plinthError("InvalidArgument", {
        detail: `Invalid argument \`id\` for \`${method}\`: expected to be an Id<"${id.table.slice(0, 80)}">, got ${actual} instead.`,
      });
    }
    return table;
  }

  #update(before: Located, document: ValueObject): string {
    const id = idOf(before.document);
    const creationTime = must(before.document["_creationTime"], "a document has a creation time");
    takeSystemField(document, "_id", id);
    takeSystemField(document, "_creationTime", creationTime);
    checkDocument(document);
    this.#checkSchema(before.table, document);
    this.#checkPendingSchema(before.table, id, document);
    document["_id"] = id;
    document["_creationTime"] = creationTime;
    const text = valueToText(document);
    this.#countWrite(text);
    this.#write({ ...before, document, text }, before.document);
    return text;
  }

  #checkSchema(table: TableInfo, document: ValueObject): void {
    const catalogue = this.#catalogue.current;
    const failure = catalogue.rules.check(table.name, document, catalogue, this.#checks);
    if (failure !== null) throw plinthError("SchemaViolation", { table: table.name, detail: failure });
  }

  /**
   * A write that does not fit the schema that is being prepared succeeds, for the old schema still serves;
   * but it leaves a note, which stops that schema from becoming active.
   */
  #checkPendingSchema(table: TableInfo, id: string, document: ValueObject): void {
    const catalogue = this.#catalogue.current;
    const { pending } = catalogue.data;
    if (pending === null) return;
    const note = pendingFailure(catalogue, { table: table.name, id, document }, this.#pendingChecks);
    if (note !== null) this.#view.put(this.#keys.schemaFailure(Buffer.from(pending.id, "hex")), textBytes(note));
  }

  #countWrite(text: string): void {
    this.#usage.countDocumentWritten(Buffer.byteLength(text));
  }

  /** Stores a document and brings its index entries up to date. */
  #write(next: Located & { readonly text: string }, before?: ValueObject): void {
    const { table, internalId, document, text } = next;
    this.#view.put(this.#keys.document(table.number, internalId), textBytes(text));
    // The time of creation never changes, so neither does this entry.
    if (before === undefined) this.#view.put(this.#indexKey(table.creationIndex, CREATION_FIELDS, document), internalId);
    for (const index of this.#indexesOf(table)) {
      const key = this.#indexKey(index.number, index.fields, document);
      if (before !== undefined) {
        const keyBefore = this.#indexKey(index.number, index.fields, before);
        // True of an index that is being filled too: the entry is there, or the filling will make it.
        if (compareBytes(key, keyBefore) === 0) continue;
        this.#view.delete(keyBefore);
      }
      this.#view.put(key, internalId);
    }
  }

  #erase({ table, internalId, document }: Located): void {
    this.#view.delete(this.#keys.document(table.number, internalId));
    this.#view.delete(this.#indexKey(table.creationIndex, CREATION_FIELDS, document));
    for (const index of this.#indexesOf(table)) this.#view.delete(this.#indexKey(index.number, index.fields, document));
  }

  #indexesOf(table: TableInfo): readonly IndexInfo[] {
    return isSystemTableName(table.name) ? [] : this.#catalogue.current.indexes(table.number);
  }

  #indexKey(index: number, fields: readonly string[], document: ValueObject): Uint8Array {
    return indexEntryKey(this.#keys, index, fields, document);
  }

  /** Strictly increasing within the transaction. */
  #nextCreationTime(): number {
    this.#lastCreationMs = Math.max(this.#nowMs, nextFloat(this.#lastCreationMs));
    return this.#lastCreationMs;
  }
}

/** The key of a document's entry in an index. */
export function indexEntryKey(keys: KeySpace, index: number, fields: readonly string[], document: ValueObject): Uint8Array {
  return keys.indexKey(index, encodeKeyValues(indexKeyValues(document, indexKeyFields(fields))));
}

/** Why a document, without its system fields, does not fit the schema that is being prepared; null when it does. */
export function pendingFailure(
  catalogue: Catalogue,
  { table, id, document }: { readonly table: string; readonly id: string; readonly document: ValueObject },
  budget?: StepBudget,
): string | null {
  let failure: string | null | undefined;
  try {
    failure = catalogue.pendingRules?.check(table, document, catalogue, budget);
  } catch (error) {
    // A check that takes too long must not stop a write that the serving schema allows.
    if (!(error instanceof PlinthError)) throw error;
    failure = error.message;
  }
  return failure === null || failure === undefined
    ? null
    : `Document with ID "${id}" in table "${table}" does not match the schema: ${failure}`;
}

/** A stored document, or one that the platform wrote. */
export function parseDocument(text: string): ValueObject {
  const value = valueFromJson(JSON.parse(text));
  if (!isValueObject(value)) throw plinthError("InvalidArgument", { detail: "A document has to be an object." });
  return value;
}

export function idOf(document: ValueObject): string {
  const id = document["_id"];
  assert(typeof id === "string", "a document has an id");
  return id;
}

function guardSystemTable(table: string, isSystem: boolean): void {
  if (isSystemTableName(table) === isSystem) return;
  const detail = isSystem ? "User tables cannot be accessed with db.system." : "System tables can only be accessed with db.system.";
  throw plinthError("InvalidArgument", { detail });
}

/** Takes a system field out of a document; when it is there, it has to be what it was. */
function takeSystemField(document: ValueObject, field: string, expected: unknown): void {
  const given = document[field];
  if (given === undefined) return;
  if (given !== expected) {
    throw plinthError("InvalidArgument", {
      detail: `Provided document \`${field}\` field doesn't match the \`${field}\` of the document that is written; it cannot be changed.`,
    });
  }
  delete document[field];
}

const floatBits = new DataView(new ArrayBuffer(8));

/** The smallest float above `value`, which is positive or -Infinity. */
function nextFloat(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  floatBits.setFloat64(0, value);
  floatBits.setBigInt64(0, floatBits.getBigInt64(0) + 1n);
  return floatBits.getFloat64(0);
}

/**
 * Runs operations on documents in the transaction of their call, by the same database calls that functions make: schema, indexes,
 * limits and events are those of every other write.
 *
 * J1 Which operation a slug is, is read in the transaction that runs it: a deploy in between is a conflict.
 */
import { decodeDocumentId } from "@plinth/core/documents/ids.ts";
import type { Validator } from "@plinth/core/documents/validators.ts";
import { isValueObject, parseValueText, valueToJson, valueToText, type Value } from "@plinth/core/documents/values.ts";
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { ObjectOperation, ObjectVerb } from "@plinth/core/operations/object-operations.ts";
import { titleOf } from "@plinth/core/operations/object-name.ts";
import type { Json, JsonObject, OperationResult } from "@plinth/core/operations/operation.ts";
import { valueOfPlain } from "@plinth/core/operations/plain-values.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import type { Transaction } from "../../database/database.ts";
import type { NativeCode } from "../../engine/native-code.ts";
import { readCall } from "../native-call.ts";
import { resultText } from "../native-result.ts";
import { listDocuments } from "./list-documents.ts";
import { objectCatalogue } from "./object-catalogue.ts";
import { plainDocument } from "./plain-document.ts";

const KINDS: ReadonlyMap<string, NativeCode["kind"]> = new Map<ObjectVerb, NativeCode["kind"]>([
  ["create", "mutation"],
  ["update", "mutation"],
  ["delete", "mutation"],
  ["get", "query"],
  ["list", "query"],
]);

/** The code of `$operation/objects/<slug>`; undefined for what can be no action. Whether there is such a table shows when it runs. */
export function objectCode(slug: string): NativeCode | undefined {
  const kind = KINDS.get(slug.slice(0, slug.indexOf("_")));
  if (kind === undefined) return undefined;
  return {
    kind,
    isRead: true,
    run: async ({ transaction, args }) => {
      const own = must(transaction, "queries and mutations have a transaction");
      const found = (await objectCatalogue(own)).bySlug.get(slug);
      if (found === undefined) throw plinthError("OperationNotFound", { name: `objects/${slug}` });
      const { input } = readCall(found.operation.inputs, args);
      return resultText(await run(own, found, input));
    },
  };
}

async function run(transaction: Transaction, found: ObjectOperation, input: JsonObject): Promise<OperationResult> {
  switch (found.does) {
    case "create":
      return await create(transaction, found, input);
    case "get":
      return await get(transaction, found, idOf(input));
    case "update":
      return await update(transaction, found, input);
    case "delete":
      return await remove(transaction, found, idOf(input));
    case "list":
      return outputOf([await listDocuments(transaction, found, input)]);
    default:
      throw plinthError("OperationNotExecutable", { name: found.operation.slug, detail: "it is a trigger" });
  }
}

async function create(transaction: Transaction, found: ObjectOperation, input: JsonObject): Promise<OperationResult> {
  const value = found.fields === null ? plainObject(input["document"]) : valueOfPlain({ type: "object", fields: found.fields }, input);
  const inserted = await transaction.syscall("1.0/insert", `{"table":${JSON.stringify(found.table.name)},"value":${valueToText(value)}}`);
  const { _id: id } = JSON.parse(inserted) as { readonly _id: string };
  return await get(transaction, found, id);
}

async function get(transaction: Transaction, found: ObjectOperation, id: string): Promise<OperationResult> {
  const text = await read(transaction, found, id);
  return text === undefined ? missing(found, id) : outputOf([plainDocument(found.fields, parseValueText(text))]);
}

/** The fields that are given. null takes a field away where it may be absent and null is none of its values. */
async function update(transaction: Transaction, found: ObjectOperation, input: JsonObject): Promise<OperationResult> {
  const id = idOf(input);
  if ((await read(transaction, found, id)) === undefined) return missing(found, id);
  const { _id: _, ...given } = input;
  const patch = found.fields === null ? (given["document"] ?? {}) : given;
  const changes: Record<string, unknown> = Object.create(null);
  for (const [name, json] of Object.entries(isObject(patch) ? patch : {})) {
    const field = found.fields?.get(name);
    if (json === null && field?.optional === true && !takesNull(field.validator)) changes[name] = { $undefined: null };
    else changes[name] = valueToJson(valueOfPlain(field?.validator ?? ANY, json));
  }
  await transaction.syscall("1.0/shallowMerge", JSON.stringify({ id, value: changes }));
  return await get(transaction, found, id);
}

async function remove(transaction: Transaction, found: ObjectOperation, id: string): Promise<OperationResult> {
  if ((await read(transaction, found, id)) === undefined) return missing(found, id);
  await transaction.syscall("1.0/remove", JSON.stringify({ id }));
  return outputOf([{ _id: id }]);
}

/** The text of a document of the table; undefined for ids of other tables and for what is no id. */
async function read(transaction: Transaction, { table }: ObjectOperation, id: string): Promise<string | undefined> {
  const decoded = decodeDocumentId(id);
  if (decoded === null || decoded.tableNumber !== (await transaction.tables())[table.name]) return undefined;
  const text = await transaction.syscall("1.0/get", JSON.stringify({ id }));
  return text === "null" ? undefined : text;
}

const ANY: Validator = { type: "any" };

function plainObject(json: Json | undefined): Value {
  const value = valueOfPlain(ANY, json ?? {});
  if (!isValueObject(value)) throw plinthError("ArgumentValidation", { detail: "The input .document has to be an object." });
  return value;
}

function takesNull(validator: Validator): boolean {
  return validator.type === "any" || validator.type === "null" || (validator.type === "union" && validator.members.some(takesNull));
}

function idOf(input: JsonObject): string {
  const { _id: id } = input;
  return typeof id === "string" ? id : "";
}

function missing({ object }: ObjectOperation, id: string): OperationResult {
  const message = `There is no ${titleOf(object).toLowerCase()} with the id ${JSON.stringify(id.slice(0, 80))}.`;
  return { kind: "error", error: { type: "invalidRequest", message } };
}

/**
 * Values of documents, arguments and results, and their JSON form (convex JSON: int64 as `$integer`, special
 * floats as `$float`, bytes as `$bytes`). The readers take hostile input and throw registered errors.
 *
 * Objects have no prototype, so that a field named `__proto__` or `constructor` is a field like any other.
 */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { base64FromBytes, bytesFromBase64 } from "./base64.ts";
import { fieldNameProblem } from "./field-names.ts";
import { scanJsonText } from "./json-scan.ts";

export type Value = null | bigint | number | boolean | string | ArrayBuffer | Value[] | ValueObject;

/** Always made by `Object.create(null)`. */
export interface ValueObject {
  [field: string]: Value;
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [field: string]: JsonValue };

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DEPTH_MAX = limit("valueDepthMax");
const FIELDS_MAX = limit("objectFieldsMax");
const ELEMENTS_MAX = limit("arrayElementsMax");

type Path = (string | number)[];

/** Reads convex JSON that `JSON.parse` made. Throws InvalidValue, with the path in its detail, or TooDeep. */
export function valueFromJson(json: unknown): Value {
  return readValue(json, [], 0);
}

/** Reads the JSON text of a value. Throws MalformedJson too. */
export function parseValueText(text: string): Value {
  // One level more than values have: an int64 or bytes at the deepest place is a JSON object.
  scanJsonText(text, { depthMax: DEPTH_MAX + 1, what: "value" });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw plinthError("MalformedJson", { detail: cause instanceof Error ? cause.message : "it cannot be parsed" });
  }
  return valueFromJson(json);
}

/** Whether `value` is an object of fields, not null, an array or bytes. */
export function isValueObject(value: Value | undefined): value is ValueObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ArrayBuffer);
}

/** Names of the fields, in byte order. */
export function sortedFields(object: ValueObject): string[] {
  return Object.keys(object).sort();
}

function readValue(json: unknown, path: Path, depth: number): Value {
  switch (typeof json) {
    case "string":
      if (!json.isWellFormed()) throw invalid(path, "the string holds half of a surrogate pair");
      return json;
    case "boolean":
      return json;
    case "number":
      if (!Number.isFinite(json)) throw invalid(path, "the number is too large for a float64");
      return json;
    case "object":
      if (json === null) return null;
      return Array.isArray(json) ? readArray(json, path, depth) : readObject(json as Readonly<Record<string, unknown>>, path, depth);
    default:
      throw invalid(path, `${typeof json} is not a value`);
  }
}

function readArray(json: readonly unknown[], path: Path, depth: number): Value[] {
  checkDepth(depth);
  if (json.length > ELEMENTS_MAX) throw invalid(path, `the array has ${json.length} elements and may have ${ELEMENTS_MAX}`);
  const array = new Array<Value>(json.length);
  for (let i = 0; i < json.length; i += 1) {
    path.push(i);
    array[i] = readValue(json[i], path, depth + 1);
    path.pop();
  }
  return array;
}

function readObject(json: Readonly<Record<string, unknown>>, path: Path, depth: number): Value {
  const fields = Object.keys(json);
  const first = fields[0];
  if (fields.length === 1 && first !== undefined && first.startsWith("$")) return readTagged(first, json[first], path);
  checkDepth(depth);
  if (fields.length > FIELDS_MAX) throw invalid(path, `the object has ${fields.length} fields and may have ${FIELDS_MAX}`);
  const object: ValueObject = Object.create(null);
  for (const field of fields) {
    const problem = fieldNameProblem(field);
    if (problem !== null) throw invalid(path, problem);
    path.push(field);
    object[field] = readValue(json[field], path, depth + 1);
    path.pop();
  }
  return object;
}

function readTagged(tag: string, content: unknown, path: Path): Value {
  switch (tag) {
    case "$integer":
      return readBytes(tag, content, path, 8).getBigInt64(0, true);
    case "$float": {
      const float = readBytes(tag, content, path, 8).getFloat64(0, true);
      if (!isSpecialFloat(float)) throw invalid(path, `the float ${float} has to be written as a plain number`);
      return Number.isNaN(float) ? Number.NaN : float;
    }
    case "$bytes":
      return readBytes(tag, content, path, null).buffer;
    default:
      throw invalid(path, `\`${tag.slice(0, 40)}\` is not a kind of value; field names may not begin with \`$\``);
  }
}

function readBytes(tag: string, content: unknown, path: Path, length: number | null): DataView<ArrayBuffer> {
  const bytes = typeof content === "string" ? bytesFromBase64(content) : null;
  if (bytes === null) throw invalid(path, `\`${tag}\` needs base64 text`);
  if (length !== null && bytes.length !== length) throw invalid(path, `\`${tag}\` needs ${length} bytes, not ${bytes.length}`);
  return new DataView(bytes.buffer);
}

/** Floats that JSON cannot tell: NaN, the infinities and -0. */
function isSpecialFloat(float: number): boolean {
  return !Number.isFinite(float) || Object.is(float, -0);
}

function checkDepth(depth: number): void {
  if (depth >= DEPTH_MAX) throw plinthError("TooDeep", { what: "value", max: DEPTH_MAX });
}

function invalid(path: Path, why: string): Error {
  const where = path.length === 0 ? "The value" : `The value at ${formatPath(path)}`;
  return plinthError("InvalidValue", { detail: `${where} is not valid: ${why}.` });
}

/** `.a.b[3]`; names that are not identifiers are quoted, long ones are cut. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]{0,79}$/.test(step)) text += `.${step}`;
    else text += `[${JSON.stringify(step.length > 80 ? `${step.slice(0, 77)}...` : step)}]`;
  }
  return text;
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

/** Convex JSON of a value; fields are sorted. */
export function valueToJson(value: Value): JsonValue {
  if (typeof value === "bigint") return tagged("$integer", integerBase64(value));
  if (typeof value === "number") return isSpecialFloat(value) ? tagged("$float", floatBase64(value)) : value;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ArrayBuffer) return tagged("$bytes", base64FromBytes(new Uint8Array(value)));
  if (Array.isArray(value)) return value.map(valueToJson);
  return mapFields(value, valueToJson);
}

/**
 * JSON for readers that know nothing of Convex: int64 as decimal text, bytes as base64 text, NaN and the
 * infinities as `"NaN"`, `"Infinity"`, `"-Infinity"`. It cannot be read back.
 */
export function valueToCleanJson(value: Value): JsonValue {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ArrayBuffer) return base64FromBytes(new Uint8Array(value));
  if (Array.isArray(value)) return value.map(valueToCleanJson);
  return mapFields(value, valueToCleanJson);
}

function mapFields(object: ValueObject, map: (value: Value) => JsonValue): JsonValue {
  const json: { [field: string]: JsonValue } = Object.create(null);
  for (const field of sortedFields(object)) json[field] = map(fieldOf(object, field));
  return json;
}

/** The one convex JSON text of a value: no white space, fields in byte order. Equal values have equal texts. */
export function valueToText(value: Value): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return isSpecialFloat(value) ? `{"$float":"${floatBase64(value)}"}` : String(value);
    case "bigint":
      return `{"$integer":"${integerBase64(value)}"}`;
    case "boolean":
      return value ? "true" : "false";
    default:
      return value === null ? "null" : containerToText(value);
  }
}

function containerToText(value: ArrayBuffer | Value[] | ValueObject): string {
  if (value instanceof ArrayBuffer) return `{"$bytes":"${base64FromBytes(new Uint8Array(value))}"}`;
  let text = "";
  if (Array.isArray(value)) {
    for (const element of value) text += (text === "" ? "[" : ",") + valueToText(element);
    return text === "" ? "[]" : `${text}]`;
  }
  for (const field of sortedFields(value)) {
    text += `${text === "" ? "{" : ","}${JSON.stringify(field)}:${valueToText(fieldOf(value, field))}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

function fieldOf(object: ValueObject, field: string): Value {
  return object[field] as Value;
}

function tagged(tag: string, text: string): JsonValue {
  return { [tag]: text };
}

function integerBase64(value: bigint): string {
  if (value < INT64_MIN || value > INT64_MAX) throw invalid([], `the integer ${value} does not fit into 64 bits`);
  floatView.setBigInt64(0, value, true);
  return base64FromBytes(floatBytes);
}

function floatBase64(value: number): string {
  floatView.setFloat64(0, value, true);
  return base64FromBytes(floatBytes);
}

/** Bytes of the text in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair has two units and four bytes: one more for each half.
    length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return length;
}

/** The size that limits and metrics count. */
export function valueSizeBytes(value: Value): number {
  switch (typeof value) {
    case "string":
      return 2 + utf8Length(value);
    case "number":
    case "bigint":
      return 9;
    case "boolean":
      return 1;
    default:
      return value === null ? 1 : containerSizeBytes(value);
  }
}

function containerSizeBytes(value: ArrayBuffer | Value[] | ValueObject): number {
  if (value instanceof ArrayBuffer) return 2 + value.byteLength;
  let size = 2;
  if (Array.isArray(value)) {
    for (const element of value) size += valueSizeBytes(element);
    return size;
  }
  for (const field of Object.keys(value)) size += field.length + 1 + valueSizeBytes(value[field] as Value);
  return size;
}

/** Arrays and objects within each other; 0 for a scalar. */
export function valueDepth(value: Value): number {
  if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) return 0;
  let deepest = 0;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) deepest = Math.max(deepest, valueDepth(inner));
  return deepest + 1;
}

/**
 * Throws when `document`, which has no system fields yet, may not be stored: LimitExceeded for its size or
 * depth, InvalidArgument for a top-level field name.
 */
export function checkDocument(document: Value): asserts document is ValueObject {
  if (!isValueObject(document)) throw plinthError("InvalidArgument", { detail: "A document has to be an object." });
  const nameMax = limit("topLevelFieldNameBytesMax");
  for (const field of Object.keys(document)) {
    const shown = JSON.stringify(field.slice(0, 80));
    if (field.startsWith("_")) {
      throw plinthError("InvalidArgument", { detail: `The field ${shown} begins with \`_\`, which is reserved for system fields.` });
    }
    if (field.length > nameMax) {
      throw plinthError("InvalidArgument", {
        detail: `The field ${shown} has ${field.length} characters; top-level fields may have ${nameMax}.`,
      });
    }
  }
  checkMax("Nesting of a document", valueDepth(document), limit("documentDepthMax"));
  checkMax("Bytes of a document", valueSizeBytes(document), limit("documentBytesMax"));
}

function checkMax(what: string, actual: number, max: number): void {
  if (actual > max) throw plinthError("LimitExceeded", { what, actual, max });
}

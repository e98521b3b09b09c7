/** The part of an index that a query asks for, as a range of encoded keys. */
import { plinthError } from "../errors.ts";
import { argumentValue, isTag } from "./argument-value.ts";
import { fieldAt, parseFieldPath } from "./field-path.ts";
import { compareBytes, concatBytes, encodeKeyValues, prefixEnd } from "./keys.ts";
import type { Value, ValueObject } from "./values.ts";

export { fieldAt } from "./field-path.ts";

/** start ≤ key < end, relative to the index; `end: null` is the end of the index. */
export interface IndexKeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array | null;
}

export interface IndexRangeOptions {
  /** For error messages. */
  readonly indexName: string;
  /** As declared; `_creationTime` and `_id` follow by themselves. */
  readonly fields: readonly string[];
  /** Hostile: `[{type, fieldPath, value}]`. */
  readonly range: unknown;
}

type RangeType = "Eq" | "Gt" | "Gte" | "Lt" | "Lte";

interface RangeExpression {
  readonly type: RangeType;
  readonly fieldPath: string;
  readonly value: Value | undefined;
}

const INT64_MAX = 2n ** 63n - 1n;

/** Fields of the keys of an index: those declared, then what makes each key the only one. */
export function indexKeyFields(declared: readonly string[]): string[] {
  const fields = [...declared];
  if (!fields.includes("_id")) {
    if (!fields.includes("_creationTime")) fields.push("_creationTime");
    fields.push("_id");
  }
  return fields;
}

/** What an index key of `document` is made of: one value for each of `fields`. */
export function indexKeyValues(document: ValueObject, fields: readonly string[]): (Value | undefined)[] {
  return fields.map((field) => fieldAt(document, field));
}

/**
 * The keys that a range expression selects: equality on a prefix of the fields in any order, then at most
 * one lower and one upper bound on the next field. Throws InvalidArgument.
 */
export function buildIndexRange(options: IndexRangeOptions): IndexKeyRange {
  const fields = indexKeyFields(options.fields);
  const expressions = parseRange(options.range, fields, options.indexName);
  const equal = new Map<string, Value | undefined>();
  for (const { type, fieldPath, value } of expressions) {
    if (type !== "Eq") continue;
    if (equal.has(fieldPath)) throw invalid(options, `it has two \`eq\` on \`${fieldPath}\``);
    equal.set(fieldPath, value);
  }
  const prefixFields = fields.slice(0, equal.size);
  for (const field of prefixFields) {
    if (!equal.has(field)) throw invalid(options, `\`${field}\` needs an \`eq\` before the fields after it can be used`);
  }
  const prefix = encodeKeyValues(prefixFields.map((field) => equal.get(field)));
  const bounds = parseBounds(expressions, fields[equal.size], options);
  return boundedRange(prefix, bounds);
}

interface Bounds {
  readonly lower: RangeExpression | undefined;
  readonly upper: RangeExpression | undefined;
}

function parseBounds(expressions: readonly RangeExpression[], field: string | undefined, options: IndexRangeOptions): Bounds {
  const bounds: { lower: RangeExpression | undefined; upper: RangeExpression | undefined } = { lower: undefined, upper: undefined };
  for (const expression of expressions) {
    if (expression.type === "Eq") continue;
    const side = expression.type === "Gt" || expression.type === "Gte" ? "lower" : "upper";
    if (expression.fieldPath !== field) {
      throw invalid(
        options,
        `a bound is possible on ${field === undefined ? "no field" : `\`${field}\``} here, not on \`${expression.fieldPath}\``,
      );
    }
    if (bounds[side] !== undefined) throw invalid(options, `it has two ${side} bounds on \`${field}\``);
    bounds[side] = expression;
  }
  return bounds;
}

function boundedRange(prefix: Uint8Array, { lower, upper }: Bounds): IndexKeyRange {
  const start = lower === undefined ? prefix : keyOfBound(prefix, lower, lower.type === "Gt");
  const end = upper === undefined ? prefixEnd(prefix) : keyOfBound(prefix, upper, upper.type === "Lte");
  // Bounds that exclude each other select nothing.
  return end !== null && compareBytes(end, start) < 0 ? { start, end: start } : { start, end };
}

/** The first key with the value of the bound, or the first key `after` all of them. */
function keyOfBound(prefix: Uint8Array, { value }: RangeExpression, after: boolean): Uint8Array {
  const key = concatBytes(prefix, encodeKeyValues([value]));
  // Encodings never consist of 0xff alone, so a key after them exists.
  return after ? (prefixEnd(key) ?? key) : key;
}

function parseRange(json: unknown, fields: readonly string[], indexName: string): RangeExpression[] {
  const where = { indexName, fields };
  if (!Array.isArray(json)) throw invalid(where, "it has to be a list of expressions");
  // One equality for each field, or two bounds on one of them.
  if (json.length > fields.length + 1) throw invalid(where, `it has ${json.length} expressions`);
  return json.map((expression: unknown) => parseRangeExpression(expression, fields, indexName));
}

function parseRangeExpression(json: unknown, fields: readonly string[], indexName: string): RangeExpression {
  const { type, fieldPath, value } = (typeof json === "object" && json !== null ? json : {}) as Partial<
    Record<keyof RangeExpression, unknown>
  >;
  const where = { indexName, fields };
  if (!isRangeType(type)) throw invalid(where, "the type of an expression is Eq, Gt, Gte, Lt or Lte");
  const path = parseFieldPath(fieldPath);
  if (!fields.includes(path)) throw invalid(where, `\`${path}\` is not a field of the index`);
  if (value === undefined) throw invalid(where, `the expression on \`${path}\` has no value`);
  return { type, fieldPath: path, value: isTag(value, "$commitTs") ? INT64_MAX : argumentValue(value) };
}

function isRangeType(type: unknown): type is RangeType {
  return type === "Eq" || type === "Gt" || type === "Gte" || type === "Lt" || type === "Lte";
}

function invalid({ indexName, fields }: { indexName: string; fields: readonly string[] }, why: string): Error {
  const detail = `The range of the index ${indexName} (${indexKeyFields(fields).join(", ")}) is not valid: ${why}.`;
  return plinthError("InvalidArgument", { detail });
}

/** Types of values as expressions are checked with them. `any` fits everywhere; what it stands for is looked at when it is there. */
import { limit } from "../../limits.ts";
import type { ValueType } from "../definition.ts";

export type ListType = { readonly list: ValueType };
export type RecordType = { readonly record: Readonly<Record<string, ValueType>> };

export const ANY_LIST: ListType = { list: "any" };

export function isListType(type: ValueType): type is ListType {
  return typeof type === "object" && "list" in type;
}

export function isRecordType(type: ValueType): type is RecordType {
  return typeof type === "object" && "record" in type;
}

/** What a declared record says about one of its fields. */
export function fieldType(type: RecordType, field: string): ValueType | null {
  return Object.hasOwn(type.record, field) ? (type.record[field] ?? null) : null;
}

export function elementType(type: ValueType): ValueType {
  return isListType(type) ? type.list : "any";
}

/** A type of values that are one or the other. */
export function unite(a: ValueType, b: ValueType): ValueType {
  if (a === b) return a;
  if (a === "null") return b;
  if (b === "null") return a;
  if (isListType(a) && isListType(b)) return { list: unite(a.list, b.list) };
  if (isRecordType(a) && isRecordType(b)) return uniteRecords(a, b);
  if ((a === "timestamp" && b === "string") || (a === "string" && b === "timestamp")) return "string";
  return "any";
}

function uniteRecords(a: RecordType, b: RecordType): ValueType {
  const names = Object.keys(a.record);
  if (names.length !== Object.keys(b.record).length) return "any";
  const united: [string, ValueType][] = [];
  for (const name of names) {
    const [left, right] = [fieldType(a, name), fieldType(b, name)];
    if (left === null || right === null) return "any";
    united.push([name, unite(left, right)]);
  }
  return { record: Object.fromEntries(united) };
}

/** Whether two values may be equal: comparing a text with a number is a mistake. */
export function mayBeEqual(a: ValueType, b: ValueType): boolean {
  if (a === "any" || b === "any" || a === "null" || b === "null" || a === b) return true;
  if (isListType(a)) return isListType(b);
  if (isRecordType(a)) return isRecordType(b);
  return (a === "timestamp" && b === "string") || (a === "string" && b === "timestamp");
}

/** Whether a value of type `type` may stand where `expected` is needed. A timestamp is a text too; anything may be absent. */
export function isAssignable(type: ValueType, expected: ValueType): boolean {
  if (type === "any" || expected === "any" || type === expected) return true;
  if (type === "timestamp") return expected === "string";
  if (isListType(type)) return isListType(expected) && isAssignable(type.list, expected.list);
  if (isRecordType(type) && isRecordType(expected))
    return Object.entries(expected.record).every(([name, wanted]) => {
      const given = fieldType(type, name);
      return given === null || isAssignable(given, wanted);
    });
  return false;
}

/** For messages: `a number`, `a list of texts`. */
export function describeType(type: ValueType): string {
  if (isListType(type)) return type.list === "any" ? "a list" : `a list of ${plural(type.list)}`;
  if (isRecordType(type)) return "a record";
  return { string: "a text", number: "a number", boolean: "a boolean", timestamp: "a timestamp", null: "null", any: "any value" }[type];
}

function plural(type: ValueType): string {
  if (isListType(type)) return "lists";
  if (isRecordType(type)) return "records";
  return { string: "texts", number: "numbers", boolean: "booleans", timestamp: "timestamps", null: "nulls", any: "any values" }[type];
}

const partsOf = new WeakMap<object, number>();

/**
 * A type that an expression makes from others, or `any` where it is too large: loops over loops could double it with each one, and
 * to unite and compare types takes time with their size.
 */
export function bounded(type: ValueType): ValueType {
  return countParts(type) > limit("expressionTypePartsMax") ? "any" : type;
}

function countParts(type: ValueType): number {
  if (typeof type !== "object") return 1;
  const known = partsOf.get(type);
  if (known !== undefined) return known;
  const children = isListType(type) ? [type.list] : Object.values(type.record);
  const parts = children.reduce((sum, child) => sum + countParts(child), 1);
  partsOf.set(type, parts);
  return parts;
}

/** The one order of all values: undefined < null < int64 < float64 < boolean < string < bytes < array < object. */
import { compareBytes } from "./keys.ts";
import { isValueObject, sortedFields, type Value, type ValueObject } from "./values.ts";

/** Negative, 0 or positive. undefined stands for a missing field. Total: 0 only for equal values (-0 < 0, NaN last). */
export function compareValues(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "number" && typeof b === "number") return compareFloats(a, b);
  if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return compareBytes(new Uint8Array(a), new Uint8Array(b));
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  if (isValueObject(a) && isValueObject(b)) return compareObjects(a, b);
  return typeRank(a) - typeRank(b);
}

/** Order of the UTF-8 bytes, which is the order of code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all those that one unit can tell. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 ? 0 : Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function compareArrays(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: ValueObject, b: ValueObject): number {
  const fieldsOfA = sortedFields(a);
  const fieldsOfB = sortedFields(b);
  const length = Math.min(fieldsOfA.length, fieldsOfB.length);
  for (let i = 0; i < length; i += 1) {
    const fieldOfA = fieldsOfA[i] as string;
    const fieldOfB = fieldsOfB[i] as string;
    const order = compareText(fieldOfA, fieldOfB) || compareValues(a[fieldOfA], b[fieldOfB]);
    if (order !== 0) return order;
  }
  return fieldsOfA.length - fieldsOfB.length;
}

function typeRank(value: Value | undefined): number {
  switch (typeof value) {
    case "undefined":
      return 0;
    case "bigint":
      return 2;
    case "number":
      return 3;
    case "boolean":
      return 4;
    case "string":
      return 5;
    default:
      if (value === null) return 1;
      if (value instanceof ArrayBuffer) return 6;
      return Array.isArray(value) ? 7 : 8;
  }
}

/** JSON values as expressions see them: own fields only, every look counted. */
import type { Json } from "../../operations/operation.ts";
import { isList, isRecord, kindOf, type Work } from "./work.ts";

export type JsonRecord = { readonly [name: string]: Json };

/** `undefined` where the record itself has no such field, whatever its prototype has. */
export function ownField(record: JsonRecord, name: string): Json | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Sets a field even where its name means something to the engine. */
export function setField(record: Record<string, Json>, name: string, value: Json): void {
  if (name === "__proto__") Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true });
  else record[name] = value;
}

export function isEqual(a: Json, b: Json, work: Work): boolean {
  work.spend(1);
  if (a === b) return true;
  if (typeof a === "string" && typeof b === "string") {
    work.read(a.length < b.length ? a : b);
    return false;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i] ?? null, work));
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = Object.keys(a);
  work.spend(names.length);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && isEqual(a[name] ?? null, b[name] ?? null, work));
}

/** Negative where `a` comes first. Numbers with numbers, texts with texts. */
export function compare(a: Json, b: Json, work: Work): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") {
    work.read(a.length < b.length ? a : b);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (a === null || b === null) return work.fail("absent", "There is no value to compare: it is null.");
  return work.fail("type", `${capital(describe(a))} and ${describe(b)} have no order.`);
}

/** A number that JSON can hold. */
export function finite(value: number, work: Work): number {
  if (!Number.isFinite(value)) work.fail("value", "The result is no number that JSON can hold: it is too large, or a division by zero.");
  // Zero has one sign in JSON.
  return value + 0;
}

/** `a number`, for messages. */
export function describe(value: Json): string {
  const kind = kindOf(value);
  return kind === "null" ? "null" : kind === "string" ? "a text" : `a ${kind}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

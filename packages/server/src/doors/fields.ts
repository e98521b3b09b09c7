/** Reads fields of a caller's JSON object; each failure names the field. Unknown fields are ignored. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject } from "./request-body.ts";

export function textField(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== "string") throw wrongField(name, "a text", value);
  return value;
}

export function optionalTextField(object: JsonObject, name: string): string | undefined {
  return isAbsent(object[name]) ? undefined : textField(object, name);
}

/** A text that is kept and listed. */
export function shortTextField(object: JsonObject, name: string, charsMax: number): string {
  const text = textField(object, name);
  if (text.length > charsMax) throw wrongField(name, `a text of at most ${charsMax} characters`, text);
  return text;
}

export function optionalShortTextField(object: JsonObject, name: string, charsMax: number): string | undefined {
  return isAbsent(object[name]) ? undefined : shortTextField(object, name, charsMax);
}

export function optionalBooleanField(object: JsonObject, name: string): boolean | undefined {
  const value = object[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== "boolean") throw wrongField(name, "true or false", value);
  return value;
}

export function optionalNumberField(
  object: JsonObject,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const value = object[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== "number" || !(value >= bounds.min && value <= bounds.max)) {
    throw wrongField(name, `a number from ${bounds.min} to ${bounds.max}`, value);
  }
  return value;
}

export function choiceField<const T extends string>(object: JsonObject, name: string, choices: readonly T[]): T | undefined {
  const value = object[name];
  if (isAbsent(value)) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw wrongField(name, `one of ${choices.join(", ")}`, value);
  return choice;
}

export function objectField(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  if (!isObject(value)) throw wrongField(name, "an object", value);
  return value;
}

export function arrayField(object: JsonObject, name: string): readonly unknown[] {
  const value = object[name];
  if (!Array.isArray(value)) throw wrongField(name, "an array", value);
  return value;
}

/** Arguments of a call: an object, or an array with one object. Absent ones are `{}`. */
export function argumentsField(object: JsonObject, name: string): string {
  const value = object[name];
  if (isAbsent(value)) return "{}";
  const args: unknown = Array.isArray(value) && value.length <= 1 ? (value[0] ?? {}) : value;
  if (!isObject(args)) throw wrongField(name, "an object, or an array with one object", value);
  return argumentsText(args);
}

/** JSON text of arguments, within the limit of their size. */
export function argumentsText(args: JsonObject): string {
  const text = JSON.stringify(args);
  const max = limit("argsBytesMax");
  // A UTF-16 unit takes at most three bytes of UTF-8, so short texts need no count.
  if (text.length * 3 > max && Buffer.byteLength(text) > max) {
    throw plinthError("RequestTooLarge", { what: "arguments", actual: `${Buffer.byteLength(text)} bytes`, max: `${max} bytes` });
  }
  return text;
}

export function wrongField(name: string, wanted: string, value: unknown) {
  return plinthError("BadRequest", { detail: `\`${name}\` must be ${wanted}, not ${describe(value)}.` });
}

function describe(value: unknown): string {
  if (value === undefined) return "absent";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return `'${value.slice(0, 60)}'`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "an object";
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values inside the arguments of database calls: hostile, and the author of the function is at fault for a bad one. */
import { PlinthError, plinthError } from "../errors.ts";
import { valueFromJson, type Value } from "./values.ts";

/** A value, or undefined for `{"$undefined":null}`. Throws InvalidArgument. */
export function argumentValue(json: unknown): Value | undefined {
  if (isTag(json, "$undefined")) return undefined;
  try {
    return valueFromJson(json);
  } catch (error) {
    throw error instanceof PlinthError ? plinthError("InvalidArgument", { detail: error.message }) : error;
  }
}

/** Whether `json` is `{"<tag>":null}`. */
export function isTag(json: unknown, tag: string): boolean {
  if (typeof json !== "object" || json === null) return false;
  const keys = Object.keys(json);
  return keys.length === 1 && keys[0] === tag && (json as Readonly<Record<string, unknown>>)[tag] === null;
}

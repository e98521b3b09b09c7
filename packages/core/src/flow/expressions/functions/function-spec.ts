/** One function that expressions may call, and how its arguments are read. */
import type { Json } from "../../../operations/operation.ts";
import type { ValueType } from "../../definition.ts";
import { isAssignable, isListType, isRecordType } from "../value-types.ts";
import { isList, isRecord, type Work } from "../work.ts";
import { must } from "../../../assert.ts";

export type Kind = "text" | "number" | "boolean" | "timestamp" | "list" | "numbers" | "texts" | "record" | "any";

export interface Parameter {
  readonly name: string;
  readonly kinds: readonly Kind[];
  /** `many`: this and any number of further ones. */
  readonly need: "one" | "optional" | "many";
}

export interface FunctionSpec {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly result: ValueType | ((args: readonly ValueType[]) => ValueType);
  readonly description: string;
  /** Expressions and what they give; the tests evaluate them. */
  readonly examples: readonly (readonly [text: string, value: Json])[];
  /**
   * Arguments have the kinds of the parameters, nothing more: lists hold anything, and texts for timestamps may be none. It charges
   * for all work that grows with its arguments.
   */
  readonly run: (args: readonly Json[], work: Work) => Json;
}

export function one(name: string, ...kinds: readonly Kind[]): Parameter {
  return { name, kinds, need: "one" };
}

export function optional(name: string, ...kinds: readonly Kind[]): Parameter {
  return { name, kinds, need: "optional" };
}

export function many(name: string, ...kinds: readonly Kind[]): Parameter {
  return { name, kinds, need: "many" };
}

/** Whether a value of this type can never be what the parameter takes. */
export function misfit(type: ValueType, { kinds }: Parameter): boolean {
  return type !== "any" && !kinds.some((kind) => isKindOfType(kind, type));
}

function isKindOfType(kind: Kind, type: ValueType): boolean {
  switch (kind) {
    case "any":
      return true;
    case "text":
    case "timestamp":
      return type === "string" || type === "timestamp";
    case "number":
    case "boolean":
      return type === kind;
    case "list":
      return isListType(type);
    case "numbers":
      return isListType(type) && isAssignable(type.list, "number");
    case "texts":
      return isListType(type) && isAssignable(type.list, "string");
    case "record":
      return isRecordType(type);
  }
}

export function isValueOf(value: Json, { kinds }: Parameter): boolean {
  return kinds.some((kind) => {
    switch (kind) {
      case "any":
        return true;
      case "text":
      case "timestamp":
        return typeof value === "string";
      case "number":
      case "boolean":
        return typeof value === kind;
      case "list":
      case "numbers":
      case "texts":
        return isList(value);
      case "record":
        return isRecord(value);
    }
  });
}

export function textOf(args: readonly Json[], index: number): string {
  const value = args[index];
  return must(typeof value === "string" ? value : null, "a text parameter has a text");
}

export function numberOf(args: readonly Json[], index: number): number {
  const value = args[index];
  return must(typeof value === "number" ? value : null, "a number parameter has a number");
}

export function listOf(args: readonly Json[], index: number): readonly Json[] {
  const value = args[index] ?? null;
  return must(isList(value) ? value : null, "a list parameter has a list");
}

export function recordOf(args: readonly Json[], index: number): { readonly [name: string]: Json } {
  const value = args[index] ?? null;
  return must(isRecord(value) ? value : null, "a record parameter has a record");
}

/** A whole number from `min` to `max`. */
export function wholeOf(args: readonly Json[], index: number, bounds: { readonly min: number; readonly max: number }, work: Work): number {
  const value = numberOf(args, index);
  if (Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  return work.fail("value", `A whole number from ${bounds.min} to ${bounds.max} is needed here, and this is ${value}.`);
}

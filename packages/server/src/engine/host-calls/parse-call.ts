/** Readers of the arguments of host calls. All of it is hostile: wrong shapes are InvalidArgument. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import type { ValueObject } from "@plinth/core/documents/values.ts";
import { parsedArgs } from "../check-values.ts";
import { pathOfAddress } from "../function-address.ts";

export type Fields = ReadonlyMap<string, unknown>;

/** The fields of the argument object. */
export function parseCall(op: string, argText: string): Fields {
  scanJsonText(argText, { depthMax: limit("jsonDepthMax"), what: "argument of a host call" });
  let json: unknown;
  try {
    json = JSON.parse(argText);
  } catch {
    throw plinthError("InvalidArgument", { detail: `The argument of \`${op}\` is not JSON.` });
  }
  if (!isObject(json)) throw plinthError("InvalidArgument", { detail: `The argument of \`${op}\` is not an object.` });
  return new Map(Object.entries(json));
}

export function textOf(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (typeof value !== "string") throw wrong(name, "a text");
  return value;
}

export function numberOf(fields: Fields, name: string): number {
  const value = fields.get(name);
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(name, "a number");
  return value;
}

export function choiceOf<const T extends string>(fields: Fields, name: string, choices: readonly T[]): T {
  const found = choices.find((each) => each === fields.get(name));
  if (found === undefined) throw wrong(name, `one of ${choices.join(", ")}`);
  return found;
}

/** The arguments for another function, as JSON text of an object. */
export function argsOf(fields: Fields): string {
  const args = fields.get("args");
  if (!isObject(args)) throw wrong("args", "an object");
  return JSON.stringify(args);
}

/** The same, checked to be values. */
export function checkedArgsOf(fields: Fields): { readonly argsText: string; readonly args: ValueObject } {
  const argsText = argsOf(fields);
  return { argsText, args: parsedArgs(argsText, fields.get("args")) };
}

/** The path that `name`, `reference` or `functionHandle` means. */
export function pathOf(fields: Fields): string {
  return pathOfAddress({ name: fields.get("name"), reference: fields.get("reference"), functionHandle: fields.get("functionHandle") });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function wrong(name: string, wanted: string) {
  return plinthError("InvalidArgument", { detail: `\`${name}\` must be ${wanted}.` });
}

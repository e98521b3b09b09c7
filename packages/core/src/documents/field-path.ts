/** Paths of fields: names with dots between them. */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { isValueObject, type Value, type ValueObject } from "./values.ts";

/** The value at `path` (`a.b`) of a document; undefined when there is none. */
export function fieldAt(document: ValueObject, path: string): Value | undefined {
  if (!path.includes(".")) return document[path];
  let value: Value | undefined = document;
  for (const name of path.split(".")) {
    if (!isValueObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

/** Checks a path that a function gave. Throws InvalidArgument. */
export function parseFieldPath(json: unknown): string {
  if (typeof json !== "string") throw plinthError("InvalidArgument", { detail: "A field path has to be a string." });
  if (json === "" || json.length > limit("fieldNameBytesMax")) {
    throw plinthError("InvalidArgument", {
      detail: `A field path has ${json.length} characters and may have 1 to ${limit("fieldNameBytesMax")}.`,
    });
  }
  return json;
}

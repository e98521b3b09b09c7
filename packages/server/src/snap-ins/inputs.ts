/** Values of inputs: checked against their descriptors, completed with defaults. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FieldDescriptor } from "@plinth/core/manifest/manifest.ts";

/** The values with the defaults of those that have none. Throws InvalidInputs, which names the first that is wrong or missing. */
export function resolveInputs(
  descriptors: readonly FieldDescriptor[],
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  checkInputs(descriptors, values);
  const resolved: Record<string, unknown> = {};
  for (const field of descriptors) {
    const value = Object.hasOwn(values, field.name) ? values[field.name] : field.defaultValue;
    if (value !== undefined && value !== null) resolved[field.name] = value;
    else if (field.isRequired) throw wrong(field.name, "is required and has no value");
  }
  return resolved;
}

/** Checks the values that are given; others may be missing. They are part of each event, so their size has a limit. */
export function checkInputs(descriptors: readonly FieldDescriptor[], values: Readonly<Record<string, unknown>>): void {
  const max = limit("snapInInputsBytesMax");
  const bytes = Buffer.byteLength(JSON.stringify(values));
  if (bytes > max) throw plinthError("RequestTooLarge", { what: "set of inputs", actual: `${bytes} bytes`, max: `${max} bytes` });
  const known = new Map(descriptors.map((field) => [field.name, field]));
  for (const [name, value] of Object.entries(values)) {
    const field = known.get(name);
    if (field === undefined) throw wrong(name, "is no input of the package");
    const problem = value === null ? undefined : problemOf(field, value);
    if (problem !== undefined) throw wrong(name, problem);
  }
}

function problemOf(field: FieldDescriptor, value: unknown): string | undefined {
  if (field.fieldType !== "array") return problemOfType(field.fieldType, field, value);
  if (!Array.isArray(value)) return "has to be a list";
  for (const item of value as readonly unknown[]) {
    const problem = problemOfType(field.baseType ?? "text", field, item);
    if (problem !== undefined) return `has an item that ${problem}`;
  }
  return undefined;
}

function problemOfType(type: string, field: FieldDescriptor, value: unknown): string | undefined {
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? undefined : "has to be true or false";
    case "int":
      return Number.isSafeInteger(value) ? undefined : "has to be a whole number";
    case "double":
      return typeof value === "number" && Number.isFinite(value) ? undefined : "has to be a number";
    case "enum":
      if (typeof value !== "string") return "has to be a text";
      return field.allowedValues.includes(value) ? undefined : `has to be one of ${field.allowedValues.slice(0, 20).join(", ")}`;
    case "struct":
    case "composite":
      return typeof value === "object" && !Array.isArray(value) ? undefined : "has to be an object";
    case "json_value":
      return undefined;
    case "uenum":
      return typeof value === "string" || Number.isSafeInteger(value) ? undefined : "has to be a value of the list";
    default:
      return typeof value === "string" ? undefined : "has to be a text";
  }
}

function wrong(name: string, detail: string) {
  return plinthError("InvalidInputs", { name: JSON.stringify(name.slice(0, 64)), detail });
}

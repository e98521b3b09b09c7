/**
 * Compares JSON that a model wrote with the JSON Schema that was asked for: types, properties, required, items, enum, const, bounds
 * and `anyOf`. Patterns are not evaluated, since regular expressions of others never run on the host; neither are references.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isJsonObject, type JsonLike } from "./json.ts";

/** What does not fit, with the place of it; null when all fits. Throws LimitExceeded when the comparison takes too long. */
export function jsonProblem(value: unknown, schema: unknown): string | null {
  const budget = { steps: limit("aiSchemaStepsMax") };
  return problemOf(value, schema, { place: "the answer", budget });
}

interface At {
  readonly place: string;
  readonly budget: { steps: number };
}

function problemOf(value: unknown, schema: unknown, at: At): string | null {
  at.budget.steps -= 1;
  const max = limit("aiSchemaStepsMax");
  if (at.budget.steps < 0) throw plinthError("LimitExceeded", { what: "Comparisons of an answer with its schema", actual: max + 1, max });
  if (schema === false) return `${at.place} is not allowed`;
  if (!isJsonObject(schema)) return null;
  return (
    typeProblem(value, schema, at) ?? choiceProblem(value, schema, at) ?? sizeProblem(value, schema, at) ?? partsProblem(value, schema, at)
  );
}

function typeProblem(value: unknown, { type }: JsonLike, { place }: At): string | null {
  const types = Array.isArray(type) ? type.slice(0, 8) : type === undefined ? [] : [type];
  if (types.length === 0 || types.some((name) => isOfType(value, name))) return null;
  return `${place} has to be ${types.map(String).join(" or ")}`;
}

function isOfType(value: unknown, name: unknown): boolean {
  switch (name) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function choiceProblem(value: unknown, schema: JsonLike, at: At): string | null {
  const { place } = at;
  const { enum: choices, anyOf } = schema;
  if (Array.isArray(choices)) {
    at.budget.steps -= choices.length;
    const text = JSON.stringify(value);
    if (!choices.some((choice) => JSON.stringify(choice) === text)) return `${place} is none of the allowed values`;
  }
  if (Object.hasOwn(schema, "const") && JSON.stringify(schema["const"]) !== JSON.stringify(value))
    return `${place} is not the one allowed value`;
  if (Array.isArray(anyOf) && !anyOf.some((one) => problemOf(value, one, at) === null)) return `${place} fits none of the alternatives`;
  return null;
}

function sizeProblem(value: unknown, schema: JsonLike, { place }: At): string | null {
  const outside = (size: number, min: unknown, max: unknown) =>
    (typeof min === "number" && size < min) || (typeof max === "number" && size > max);
  if (typeof value === "number" && outside(value, schema["minimum"], schema["maximum"])) return `${place} is outside its bounds`;
  if (typeof value === "string" && outside(value.length, schema["minLength"], schema["maxLength"]))
    return `${place} is too short or too long`;
  if (Array.isArray(value) && outside(value.length, schema["minItems"], schema["maxItems"]))
    return `${place} has too few or too many items`;
  return null;
}

function partsProblem(value: unknown, schema: JsonLike, at: At): string | null {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const problem = problemOf(item, schema["items"], { ...at, place: `${at.place}[${index}]` });
      if (problem !== null) return problem;
    }
    return null;
  }
  return isJsonObject(value) ? fieldsProblem(value, schema, at) : null;
}

function fieldsProblem(value: JsonLike, schema: JsonLike, at: At): string | null {
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = required.find((name): name is string => typeof name === "string" && !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at.place} lacks ${missing.slice(0, 64)}`;
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  for (const [name, part] of Object.entries(value)) {
    const place = `${at.place}.${name.slice(0, 64)}`;
    const known = Object.hasOwn(properties, name);
    const problem = problemOf(part, known ? properties[name] : schema["additionalProperties"], { ...at, place });
    if (problem !== null) return problem;
  }
  return null;
}

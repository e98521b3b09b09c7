/**
 * Builders of JSON Schema 2020-12, so that the description of a route takes a few lines. In property names `?` at the end says that
 * the property may be absent.
 */
import type { Json, JsonSchema } from "@plinth/core/operations/operation.ts";

export type Schema = JsonSchema;
export type Properties = Readonly<Record<string, Schema>>;
/** Keywords beyond those that a builder writes itself. */
type Keywords = Readonly<Record<string, Json>>;

export function text(description?: string, keywords: Keywords = {}): Schema {
  return described({ type: "string", ...keywords }, description);
}

export function whole(description?: string, keywords: Keywords = {}): Schema {
  return described({ type: "integer", ...keywords }, description);
}

export function number(description?: string, keywords: Keywords = {}): Schema {
  return described({ type: "number", ...keywords }, description);
}

export function flag(description?: string, keywords: Keywords = {}): Schema {
  return described({ type: "boolean", ...keywords }, description);
}

/** A moment in milliseconds since 1970. */
export function moment(description = "Milliseconds since 1970."): Schema {
  return number(description);
}

export function choice(choices: readonly (string | number | boolean)[], description?: string): Schema {
  return described({ enum: choices }, description);
}

/** Always this value. */
export function always(value: string | boolean): Schema {
  return { type: typeof value === "string" ? "string" : "boolean", const: value };
}

export const NULL: Schema = { type: "null" };

/** JSON of any kind. */
export function anything(description?: string): Schema {
  return described({}, description);
}

export function list(items: Schema, description?: string, keywords: Keywords = {}): Schema {
  return described({ type: "array", items, ...keywords }, description);
}

/** What the host answers: exactly these properties. */
export function closed(properties: Properties, description?: string): Schema {
  return described({ ...objectOf(properties), additionalProperties: false }, description);
}

/** What callers send: others are ignored. */
export function open(properties: Properties, description?: string): Schema {
  return described(objectOf(properties), description);
}

/** An object whose names are free. */
export function mapOf(values: Schema, description?: string): Schema {
  return described({ type: "object", additionalProperties: values }, description);
}

export function orNull(schema: Schema): Schema {
  const { title, type, enum: choices } = schema;
  if (title === undefined && typeof type === "string") return { ...schema, type: [type, "null"] };
  if (title === undefined && Array.isArray(choices)) return { ...schema, enum: [...choices, null] };
  return { oneOf: [schema, NULL] };
}

export function oneOf(...schemas: readonly Schema[]): Schema {
  return { oneOf: schemas };
}

/** A schema that becomes a component of the document under its name; every use of it refers there. */
export function named(name: string, schema: Schema): Schema {
  return { title: name, ...schema };
}

/** A named schema, within itself. */
export function itself(name: string): Schema {
  return { $ref: refOf(name) };
}

export function refOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function objectOf(properties: Properties): { readonly [name: string]: Json } {
  const all = Object.entries(properties);
  const required = all.filter(([name]) => !name.endsWith("?")).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(all.map(([name, schema]) => [name.replace(/\?$/, ""), schema])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function described(schema: Schema, description: string | undefined): Schema {
  return description === undefined ? schema : { ...schema, description };
}

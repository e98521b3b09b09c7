/**
 * Fields ↔ JSON Schema 2020-12. What a field says beyond JSON Schema stands in `x-plinth-type` and `x-plinth-ids`, so that a schema
 * made here is read back to the same fields; schemas of others are read as well as descriptors can say them and are kept beside.
 */
import { limit } from "../limits.ts";
import type { Json, JsonObject, JsonSchema, OperationField, Port } from "./operation.ts";

const DEPTH_MAX = limit("valueDepthMax");
const FIELDS_MAX = limit("operationFieldsMax");

/** An object with exactly these fields. */
export function schemaOfFields(fields: readonly OperationField[]): JsonSchema {
  const required = fields.filter((field) => field.isRequired && field.defaultValue === undefined).map(({ name }) => name);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOfField(field)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** The same with `$schema`, as a document of its own. */
export function schemaDocument(fields: readonly OperationField[]): JsonSchema {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...schemaOfFields(fields) };
}

/** Of an input: with its fields and, where the port is open, any others. */
export function inputSchemaDocument({ fields, isOpen }: Port): JsonSchema {
  return isOpen === true ? openSchemaDocument(fields) : schemaDocument(fields);
}

/** Of an output: what is not declared may be there too. */
export function openSchemaDocument(fields: readonly OperationField[]): JsonSchema {
  const { additionalProperties: _, ...rest } = schemaDocument(fields);
  return rest;
}

export function schemaOfField(field: OperationField): JsonSchema {
  const title = field.ui["display_name"];
  return {
    ...(field.schema ?? typeSchema(field)),
    ...(typeof title === "string" && title !== "" ? { title } : {}),
    ...(field.description === "" ? {} : { description: field.description }),
    ...(isJson(field.defaultValue) ? { default: field.defaultValue } : {}),
  };
}

function typeSchema(field: OperationField): JsonSchema {
  if (field.fieldType !== "array") return elementSchema(field.fieldType, field);
  return { type: "array", items: elementSchema(field.baseType ?? "json_value", field) };
}

function elementSchema(type: string, field: OperationField): JsonSchema {
  switch (type) {
    case "bool":
      return { type: "boolean" };
    case "int":
      return { type: "integer" };
    case "double":
      return { type: "number" };
    case "enum":
      return { type: "string", enum: field.allowedValues };
    case "uenum":
      return field.allowedValues.length === 0
        ? { type: ["string", "integer"], "x-plinth-type": type }
        : { type: "string", enum: field.allowedValues, "x-plinth-type": type };
    case "date":
      return { type: "string", format: "date" };
    case "timestamp":
      return { type: "string", format: "date-time" };
    case "id":
      return { type: "string", "x-plinth-type": type, ...(field.idType.length === 0 ? {} : { "x-plinth-ids": field.idType }) };
    case "rich_text":
    case "tokens":
      return { type: "string", "x-plinth-type": type };
    case "composite":
    case "struct":
      if (field.fields === undefined) return { type: "object", ...(type === "struct" ? {} : { "x-plinth-type": type }) };
      return { ...schemaOfFields(field.fields), ...(type === "struct" ? { "x-plinth-type": type } : {}) };
    case "json_value":
      return {};
    default:
      return { type: "string" };
  }
}

/**
 * The fields of a schema of an object, whoever wrote it; of any other schema one required field `value`. Never throws: what cannot be
 * said in descriptors is a `json_value` with the schema beside it.
 */
export function fieldsOfSchema(schema: JsonSchema): readonly OperationField[] {
  return objectFields(schema, 0) ?? [fieldOfSchema("value", schema, true)];
}

export function fieldOfSchema(name: string, schema: Json, isRequired: boolean): OperationField {
  return read(name, schema, { isRequired, depth: 0 });
}

interface Reading {
  readonly isRequired: boolean;
  readonly depth: number;
}

function read(name: string, schema: Json, { isRequired, depth }: Reading): OperationField {
  const object = isObject(schema) ? schema : {};
  const base: OperationField = {
    name,
    description: textOf(object["description"]),
    fieldType: "json_value",
    baseType: null,
    idType: [],
    allowedValues: [],
    isRequired,
    ui: typeof object["title"] === "string" ? { display_name: object["title"] } : {},
    ...(object["default"] === undefined ? {} : { defaultValue: object["default"] }),
  };
  const typed = depth >= DEPTH_MAX ? undefined : typeOf(object, depth);
  const found: OperationField = { ...base, ...typed };
  const { title: _, description: __, default: ___, ...own } = object;
  // What the descriptor does not say in full is checked by the schema itself.
  return sameJson(typeSchema(found), own) ? found : { ...found, schema: own };
}

type Typed = Partial<Pick<OperationField, "fieldType" | "baseType" | "idType" | "allowedValues" | "fields">>;

function typeOf(schema: JsonObject, depth: number): Typed {
  if (schema["type"] !== "array") return scalarType(schema, depth);
  const items = schema["items"];
  const element = isObject(items) ? scalarType(items, depth + 1) : {};
  const { fieldType: baseType = "json_value", ...rest } = element;
  return { ...rest, fieldType: "array", baseType: baseType === "array" ? "json_value" : baseType };
}

function scalarType(schema: JsonObject, depth: number): Typed {
  const named = schema["x-plinth-type"];
  const values = textsOf(schema["enum"] ?? (schema["const"] === undefined ? undefined : [schema["const"]]));
  switch (schema["type"]) {
    case "boolean":
      return { fieldType: "bool" };
    case "integer":
      return { fieldType: "int" };
    case "number":
      return { fieldType: "double" };
    case "string":
      if (named === "id") return { fieldType: "id", idType: textsOf(schema["x-plinth-ids"]) ?? [] };
      if (named === "rich_text" || named === "tokens") return { fieldType: named };
      if (values !== undefined && values.length > 0) return { fieldType: named === "uenum" ? "uenum" : "enum", allowedValues: values };
      if (schema["format"] === "date") return { fieldType: "date" };
      return { fieldType: schema["format"] === "date-time" ? "timestamp" : "text" };
    case "object": {
      const fields = objectFields(schema, depth + 1);
      if (fields === undefined) return { fieldType: named === "composite" ? "composite" : "struct" };
      return { fieldType: named === "struct" ? "struct" : "composite", fields };
    }
    default:
      if (named === "uenum") return { fieldType: "uenum" };
      return values === undefined || values.length === 0 ? {} : { fieldType: "enum", allowedValues: values };
  }
}

/** undefined when the schema does not list the fields of an object. */
function objectFields(schema: JsonObject, depth: number): readonly OperationField[] | undefined {
  const properties = schema["properties"];
  if (schema["type"] !== "object" || !isObject(properties) || depth >= DEPTH_MAX) return undefined;
  const required = new Set(textsOf(schema["required"]));
  return Object.keys(properties)
    .slice(0, FIELDS_MAX)
    .map((name) => {
      const property = properties[name] ?? null;
      const hasDefault = isObject(property) && property["default"] !== undefined;
      return read(name, property, { isRequired: required.has(name) && !hasDefault, depth });
    });
}

function textsOf(json: Json | undefined): readonly string[] | undefined {
  if (!isList(json)) return undefined;
  const texts = json.filter((item) => typeof item === "string");
  return texts.length === json.length ? texts : undefined;
}

function textOf(json: Json | undefined): string {
  return typeof json === "string" ? json : "";
}

/** Whether two JSON values are the same, whatever the order of their keys. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (isList(left)) return isList(right) && left.length === right.length && left.every((item, i) => sameJson(item, right[i]));
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]));
}

export function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isList(json: unknown): json is readonly Json[] {
  return Array.isArray(json);
}

function isJson(value: unknown): value is Json {
  return value !== undefined;
}

/** Convex validators → fields and JSON Schema of their plain form: int64 as a whole number or decimal text, bytes as base64 text. */
import type { FieldValidator, Validator } from "../documents/validators.ts";
import { limit } from "../limits.ts";
import type { Json, JsonObject, JsonSchema, OperationField } from "./operation.ts";

const DEPTH_MAX = limit("operationFieldDepthMax");

/** The plain form of what fits a validator. */
export function schemaOfValidator(validator: Validator, depth = 0): JsonSchema {
  if (depth > DEPTH_MAX) return {};
  switch (validator.type) {
    case "any":
      return {};
    case "null":
    case "boolean":
    case "number":
    case "string":
      return { type: validator.type };
    case "bigint":
    case "commitTs":
      return INT64;
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "literal":
      return typeof validator.value === "bigint" ? { const: String(validator.value) } : { const: validator.value };
    case "id":
      return { type: "string", "x-plinth-type": "id", "x-plinth-ids": [validator.tableName] };
    case "array":
      return { type: "array", items: schemaOfValidator(validator.element, depth + 1) };
    case "record":
      return { type: "object", additionalProperties: schemaOfValidator(validator.values, depth + 1) };
    case "object":
      return objectSchema(validator.fields, depth);
    case "union":
      return unionSchema(validator.members, depth);
  }
}

const INT64: JsonSchema = { type: ["integer", "string"], format: "int64" };

function objectSchema(fields: ReadonlyMap<string, FieldValidator>, depth: number): JsonSchema {
  const required = [...fields].filter(([, field]) => !field.optional).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries([...fields].map(([name, field]) => [name, schemaOfValidator(field.validator, depth + 1)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function unionSchema(members: readonly Validator[], depth: number): JsonSchema {
  const texts = textLiterals(members);
  if (texts !== undefined) return { type: "string", enum: texts };
  return { anyOf: members.map((member) => schemaOfValidator(member, depth + 1)) };
}

/** The texts of a union of nothing else. */
function textLiterals(members: readonly Validator[]): readonly string[] | undefined {
  const texts = members.flatMap((member) => (member.type === "literal" && typeof member.value === "string" ? [member.value] : []));
  return texts.length === members.length && texts.length > 0 ? texts : undefined;
}

/** Fields of the arguments of a function, or of the documents of a table. */
export function fieldsOfObject(fields: ReadonlyMap<string, FieldValidator>, depth = 0): readonly OperationField[] {
  return [...fields].map(([name, { validator, optional }]) => fieldOfValidator(name, validator, { isRequired: !optional, depth }));
}

export interface FieldSettings {
  readonly isRequired: boolean;
  readonly description?: string;
  readonly depth?: number;
}

export function fieldOfValidator(name: string, validator: Validator, settings: FieldSettings): OperationField {
  const { isRequired, description = "", depth = 0 } = settings;
  const base = { name, description, baseType: null, idType: [], allowedValues: [], isRequired, ui: {} };
  return { ...base, ...typed(validator, depth) };
}

type Typed = Pick<OperationField, "fieldType"> & Partial<OperationField>;

function typed(validator: Validator, depth: number): Typed {
  if (depth > DEPTH_MAX) return { fieldType: "json_value" };
  switch (validator.type) {
    case "string":
      return { fieldType: "text" };
    case "boolean":
      return { fieldType: "bool" };
    case "number":
      return { fieldType: "double" };
    case "bigint":
    case "commitTs":
      return { fieldType: "int", schema: INT64 };
    case "bytes":
      return { fieldType: "text", schema: schemaOfValidator(validator) };
    case "id":
      return { fieldType: "id", idType: [validator.tableName] };
    case "literal":
      return typeof validator.value === "string"
        ? { fieldType: "enum", allowedValues: [validator.value] }
        : { fieldType: "json_value", schema: schemaOfValidator(validator) };
    case "any":
      return { fieldType: "json_value" };
    case "null":
      return { fieldType: "json_value", schema: schemaOfValidator(validator) };
    case "object":
      return { fieldType: "composite", fields: fieldsOfObject(validator.fields, depth + 1) };
    case "record":
      return { fieldType: "struct", schema: schemaOfValidator(validator, depth) };
    case "array":
      return arrayType(validator, depth);
    case "union":
      return unionType(validator.members, depth);
  }
}

function arrayType(validator: Validator & { readonly type: "array" }, depth: number): Typed {
  const element = typed(validator.element, depth + 1);
  // An element that descriptors cannot say in full, such as another array, is checked by the schema of the whole.
  if (element.schema !== undefined || element.fieldType === "array")
    return {
      fieldType: "array",
      baseType: element.fieldType === "array" ? "json_value" : element.fieldType,
      schema: schemaOfValidator(validator, depth),
    };
  return { ...element, fieldType: "array", baseType: element.fieldType };
}

function unionType(members: readonly Validator[], depth: number): Typed {
  const texts = textLiterals(members);
  if (texts !== undefined) return { fieldType: "enum", allowedValues: texts };
  const others = members.filter(({ type }) => type !== "null");
  const [only] = others;
  const schema = unionSchema(members, depth);
  if (others.length === 1 && only !== undefined) {
    // A form shows the one type that it is; null is how to leave it empty.
    const inner = typed(only, depth);
    const { fields: _, ...rest } = inner;
    return { ...(inner.fieldType === "composite" ? rest : inner), schema };
  }
  const values = textLiterals(others);
  if (values !== undefined) return { fieldType: "enum", allowedValues: values, schema };
  return { fieldType: "json_value", schema };
}

/** The same schema with null as a value more. */
export function orNull(schema: JsonSchema): JsonSchema {
  const nothing: JsonObject = { type: "null" };
  return { anyOf: [schema, nothing] satisfies Json[] };
}

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFields } from "./check-ports.ts";
import { formOf } from "./forms.ts";
import { fieldsOfSchema, schemaDocument, schemaOfFields } from "./json-schema.ts";
import type { JsonSchema, OperationField } from "./operation.ts";

const field = (name: string, fieldType: string, rest: Partial<OperationField> = {}): OperationField => ({
  name,
  description: "",
  fieldType,
  baseType: null,
  idType: [],
  allowedValues: [],
  isRequired: false,
  ui: {},
  ...rest,
});

const TYPES = ["bool", "int", "double", "text", "rich_text", "tokens", "date", "timestamp", "id", "struct", "json_value", "enum", "uenum"];

const scalar = fc.record({
  name: fc.stringMatching(/^[a-z][a-z_]{0,8}$/),
  fieldType: fc.constantFrom(...TYPES),
  isList: fc.boolean(),
  isRequired: fc.boolean(),
  description: fc.string({ maxLength: 10 }),
});

const fieldsArbitrary = fc.uniqueArray(scalar, { selector: ({ name }) => name, maxLength: 6 }).map((list) =>
  list.map(({ name, fieldType, isList, isRequired, description }) =>
    field(name, isList ? "array" : fieldType, {
      baseType: isList ? fieldType : null,
      isRequired,
      description,
      ...(fieldType === "enum" || fieldType === "uenum" ? { allowedValues: ["a", "b"] } : {}),
      ...(fieldType === "id" ? { idType: ["tickets"] } : {}),
    }),
  ),
);

describe("fields and JSON Schema", () => {
  it("O1 are one description: what a schema was made of is read back from it", () => {
    fc.assert(
      fc.property(fieldsArbitrary, (fields) => {
        expect(fieldsOfSchema(schemaOfFields(fields))).toEqual(fields);
        const nested = [field("group", "composite", { fields, isRequired: true })];
        expect(fieldsOfSchema(schemaOfFields(nested))).toEqual(nested);
      }),
      { numRuns: 300 },
    );
  });

  it("say what is required, and what is there without being given", () => {
    const fields = [field("a", "text", { isRequired: true }), field("b", "int", { isRequired: true, defaultValue: 3 })];
    expect(schemaDocument(fields)).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { a: { type: "string" }, b: { type: "integer", default: 3 } },
      required: ["a"],
      additionalProperties: false,
    });
  });

  it("keep what descriptors cannot say of schemas of others, and check it", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: { port: { type: "integer", minimum: 1 }, either: { anyOf: [{ type: "string" }, { type: "null" }] } },
      required: ["port"],
    };
    const fields = fieldsOfSchema(schema);
    expect(fields[0]).toMatchObject({ fieldType: "int", schema: { type: "integer", minimum: 1 } });
    expect(checkFields(fields, { port: 0 })).toMatchObject({ kind: "wrong", problem: { path: ["port"] } });
    expect(checkFields(fields, { port: 1, either: null })).toEqual({ kind: "ok", value: { port: 1, either: null } });
  });

  it("never fail to be read, whatever the schema is", () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom("type", "properties", "items", "enum", "required", "a"), maxDepth: 4 }), (schema) => {
        const fields = fieldsOfSchema(schema as JsonSchema);
        expect(Array.isArray(formOf(fields))).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(fieldsOfSchema({ type: "string" })).toMatchObject([{ name: "value", fieldType: "text", isRequired: true }]);
  });
});

describe("forms", () => {
  it("have a widget for every field, and groups for fields of fields", () => {
    const form = formOf([
      field("stage", "enum", { allowedValues: ["lead", "open_deal"], isRequired: true }),
      field("tags", "array", { baseType: "enum", allowedValues: ["x"] }),
      field("owner", "id", { idType: ["users"] }),
      field("count", "int", { defaultValue: 2 }),
      field("address", "composite", { fields: [field("city", "text", { ui: { display_name: "Town" } })] }),
      field("lines", "array", { baseType: "composite", fields: [field("sku", "text")] }),
      field("anything", "json_value"),
    ]);
    expect(form).toMatchObject([
      { widget: "select", required: true, label: "Stage", options: [{ value: "lead" }, { value: "open_deal", label: "Open deal" }] },
      { widget: "multiSelect" },
      { widget: "reference", references: ["users"] },
      { widget: "number", step: 1, initial: 2, required: false },
      { widget: "group", fields: [{ name: "city", label: "Town", widget: "text" }] },
      { widget: "list", item: "group", fields: [{ name: "sku" }] },
      { widget: "json" },
    ]);
  });
});

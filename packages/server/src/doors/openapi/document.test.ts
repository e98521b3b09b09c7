import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { ERRORS } from "@plinth/core/errors.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { DOCUMENTED_ROUTES } from "../native/table.ts";
import { openApiDocument } from "./document.ts";
import { json, type DocumentedRoute } from "./route-doc.ts";
import { named, text } from "./schema.ts";

const document = openApiDocument({ routes: DOCUMENTED_ROUTES, url: "http://127.0.0.1:3210" });

function at(...keys: readonly string[]): Json | undefined {
  return keys.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), document);
}

test("the document is OpenAPI 3.1 by the schema of the standard", async () => {
  const validator = new Validator({ strictTypes: false });
  const { valid, errors } = await validator.validate(structuredClone(document) as never);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("every schema is one of JSON Schema 2020-12, and every reference leads somewhere", () => {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  for (const schema of schemasIn(document)) expect(ajv.validateSchema(schema as object), JSON.stringify(schema).slice(0, 200)).toBe(true);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
  expect(references.length).toBeGreaterThan(100);
  for (const path of new Set(references)) expect(at(...path.split("/")), path).toBeDefined();
});

test("each route is an operation with its parameters, scopes and codes", () => {
  for (const [name, route] of Object.entries<DocumentedRoute>(DOCUMENTED_ROUTES)) {
    const operation = at("paths", route.path.replaceAll(/:(\w+)/g, "{$1}"), route.method.toLowerCase());
    expect(operation, name).toMatchObject({ operationId: name });
    const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter);
    expect(
      Object.keys(route.doc.path ?? {}).every((parameter) => inPath.includes(parameter)),
      `${name} documents what its path has`,
    ).toBe(true);
    const scopes = isObject(operation) ? operation["x-plinth-scopes"] : undefined;
    const access = route.doc.access ?? route.access;
    expect(scopes, name).toEqual(access === "open" ? undefined : access === "operator" ? ["operator"] : access);
  }
  expect(at("components", "schemas", "ErrorCode", "enum")).toEqual(Object.keys(ERRORS));
});

test("two schemas of one name are a mistake that is found", () => {
  const route = (path: string, description: string): DocumentedRoute => ({
    ...DOCUMENTED_ROUTES.health,
    path,
    doc: { ...DOCUMENTED_ROUTES.health.doc, answers: { 200: json(named("Same", text(description))) } },
  });
  const routes = { a: route("/a", "One."), b: route("/b", "Another.") };
  expect(() => openApiDocument({ routes, url: "" })).toThrow("one schema with the name Same");
});

/** What stands where a schema has to: components, and every `schema` of parameters and of bodies. */
function schemasIn(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value.flatMap((each: Json) => schemasIn(each));
  if (!isObject(value)) return [];
  const components: JsonObject = isObject(value["schemas"]) ? value["schemas"] : {};
  const events: JsonObject = isObject(value["x-plinth-events"]) ? value["x-plinth-events"] : {};
  const here = value["schema"] === undefined ? [] : [value["schema"]];
  const within = Object.entries(value).filter(([name]) => name !== "schemas" && name !== "schema" && name !== "x-plinth-events");
  return [...here, ...Object.values(components), ...Object.values(events), ...within.flatMap(([, each]) => schemasIn(each))];
}

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkValue, parseValidator } from "../documents/validators.ts";
import { valueToCleanJson, type Value } from "../documents/values.ts";
import { checkFields } from "./check-ports.ts";
import { checkSchema } from "./check-schema.ts";
import { fieldsOfSchema, schemaOfFields } from "./json-schema.ts";
import type { Json } from "./operation.ts";
import { valueOfPlain } from "./plain-values.ts";
import { fieldOfValidator, schemaOfValidator } from "./validator-fields.ts";

const object = (fields: Record<string, object>) => ({
  type: "object",
  value: Object.fromEntries(Object.entries(fields).map(([name, fieldType]) => [name, { fieldType, optional: false }])),
});
const literal = (value: unknown) => ({ type: "literal", value });
const bytes = fc.uint8Array({ maxLength: 6 }).map((array) => array.slice().buffer as Value);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const real = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number));

/** Validators with values that fit them. */
const CASES: readonly (readonly [string, object, fc.Arbitrary<Value>])[] = [
  ["string", { type: "string" }, fc.string()],
  ["number", { type: "number" }, real],
  ["int64", { type: "bigint" }, int64],
  ["bytes", { type: "bytes" }, bytes],
  ["boolean", { type: "boolean" }, fc.boolean()],
  ["null", { type: "null" }, fc.constant(null)],
  ["literal of int64", literal({ $integer: "BwAAAAAAAAA=" }), fc.constant(7n)],
  ["texts", { type: "union", value: [literal("a"), literal("b")] }, fc.constantFrom("a", "b")],
  ["number or null", { type: "union", value: [{ type: "number" }, { type: "null" }] }, fc.oneof(real, fc.constant(null))],
  [
    "lists of lists",
    { type: "array", value: { type: "array", value: { type: "bigint" } } },
    fc.array(fc.array(int64, { maxLength: 3 }), { maxLength: 3 }),
  ],
  [
    "record of bytes",
    { type: "record", keys: { type: "string" }, values: { fieldType: { type: "bytes" }, optional: false } },
    fc.dictionary(fc.constantFrom("a", "b"), bytes),
  ],
  [
    "object",
    object({ n: { type: "bigint" }, inner: object({ b: { type: "bytes" } }) }),
    fc.record({ n: int64, inner: fc.record({ b: bytes }) }),
  ],
];

describe.each(CASES)("a validator of %s", (_name, json, values) => {
  const validator = parseValidator(json);
  const fits = (value: Value): boolean => checkValue(validator, value, { tableNumber: () => undefined }) === null;

  it("O1 has a schema and a field that every value fits, and is read from plain JSON again", () => {
    const field = fieldOfValidator("value", validator, { isRequired: true });
    const fields = fieldsOfSchema(schemaOfFields([field]));
    fc.assert(
      fc.property(values, (value) => {
        expect(fits(value)).toBe(true);
        const plain = valueToCleanJson(value) as Json;
        expect(checkSchema(schemaOfValidator(validator), plain)).toBeNull();
        expect(checkFields([field], { value: plain })).toEqual({ kind: "ok", value: { value: plain } });
        expect(checkFields(fields, { value: plain })).toEqual({ kind: "ok", value: { value: plain } });
        const read = valueOfPlain(validator, plain);
        expect(fits(read)).toBe(true);
        expect(valueToCleanJson(read)).toEqual(plain);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses what it does not take, by its field already where the type says so", () => {
    const field = fieldOfValidator("value", validator, { isRequired: true });
    for (const wrong of [{ other: {} }, [[["x"]]]]) expect(checkFields([field], { value: wrong }).kind).toBe("wrong");
  });
});

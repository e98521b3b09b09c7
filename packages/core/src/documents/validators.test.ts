import { v } from "convex/values";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { objectOf, value } from "../../test/value-arbitraries.ts";
import { PlinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { encodeDocumentId } from "./ids.ts";
import { checkValue, describeFailure, parseValidator, parseValidatorText, validationBudget, type Validator } from "./validators.ts";
import { isValueObject, parseValueText, valueFromJson, valueToJson, type Value } from "./values.ts";

const TABLES: Readonly<Record<string, number>> = { users: 10_001, posts: 10_002 };
const options = { tableNumber: (name: string) => TABLES[name] };
const idIn = (tableNumber: number): string => encodeDocumentId({ tableNumber, internalId: new Uint8Array(16).fill(5) });

/** The validator that `exported` (made by the convex package) exports. */
function parsed(exported: unknown): Validator {
  return parseValidator((exported as { json: unknown }).json);
}

function failureOf(exported: unknown, json: unknown): string | null {
  const failure = checkValue(parsed(exported), valueFromJson(json), options);
  return failure === null ? null : describeFailure(failure);
}

describe("checkValue", () => {
  const fits: readonly (readonly [string, unknown, unknown])[] = [
    ["any", v.any(), { a: [1] }],
    ["null", v.null(), null],
    ["float64", v.number(), 1.5],
    ["int64", v.int64(), { $integer: "AQAAAAAAAAA=" }],
    ["boolean", v.boolean(), false],
    ["string", v.string(), ""],
    ["bytes", v.bytes(), { $bytes: "" }],
    ["literal text", v.literal("a"), "a"],
    ["literal number", v.literal(1), 1],
    ["literal int64", v.literal(1n), { $integer: "AQAAAAAAAAA=" }],
    ["id", v.id("users"), idIn(10_001)],
    ["array", v.array(v.string()), ["a", "b"]],
    ["record", v.record(v.string(), v.number()), { a: 1, "x y": 2 }],
    ["record of ids", v.record(v.id("posts"), v.null()), { [idIn(10_002)]: null }],
    ["object", v.object({ a: v.number(), b: v.optional(v.string()) }), { a: 1 }],
    ["object with optional", v.object({ a: v.number(), b: v.optional(v.string()) }), { a: 1, b: "" }],
    ["union of literals", v.union(v.literal("a"), v.literal("b"), v.null()), "b"],
    ["union of others", v.union(v.literal("a"), v.literal("b"), v.null()), null],
    ["union of one", v.union(v.number()), 1],
  ];
  test.each(fits)("%s fits", (_what, exported, json) => {
    expect(failureOf(exported, json)).toBe(null);
  });

  const refused: readonly (readonly [string, unknown, unknown, string])[] = [
    ["wrong type", v.string(), 1, "Value does not match validator.\nValue: 1.0\nValidator: v.string()"],
    ["int64 for float64", v.number(), { $integer: "AQAAAAAAAAA=" }, "Value does not match validator.\nValue: 1n\nValidator: v.float64()"],
    ["float64 for int64", v.int64(), 1, "Value does not match validator.\nValue: 1.0\nValidator: v.int64()"],
    ["-0 for 0", v.literal(0), { $float: "AAAAAAAAAIA=" }, "Value does not match validator.\nValue: -0.0\nValidator: v.literal(0.0)"],
    ["text that is no id", v.id("users"), "hello", 'Value does not match validator.\nValue: "hello"\nValidator: v.id("users")'],
    [
      "id of another table",
      v.object({ who: v.id("users") }),
      { who: idIn(10_002) },
      `The ID "${idIn(10_002)}" is from another table than \`users\`, which the validator asks for.\nPath: .who\nValue: "${idIn(10_002)}"\nValidator: v.id("users")`,
    ],
    [
      "id of an unknown table",
      v.id("ghosts"),
      idIn(10_002),
      `The ID "${idIn(10_002)}" is from another table than \`ghosts\`, which the validator asks for.\nValue: "${idIn(10_002)}"\nValidator: v.id("ghosts")`,
    ],
    [
      "missing field",
      v.object({ a: v.object({ b: v.number(), c: v.optional(v.bytes()) }) }),
      { a: {} },
      "Object is missing the required field `b`. Consider wrapping the field validator in `v.optional(...)` if this is expected.\nPath: .a\nObject: {}\nValidator: v.object({b: v.float64(), c: v.optional(v.bytes())})",
    ],
    [
      "extra field",
      v.object({}),
      { "x y": [true, null] },
      'Object contains extra field `x y` that is not in the validator.\nObject: {"x y": [true, null]}\nValidator: v.object({})',
    ],
    [
      "deep path",
      v.array(v.object({ a: v.array(v.string()) })),
      [{ a: ["x"] }, { a: ["x", 1] }],
      "Value does not match validator.\nPath: [1].a[1]\nValue: 1.0\nValidator: v.string()",
    ],
    [
      "record value",
      v.record(v.string(), v.number()),
      { "a b": "x" },
      'Value does not match validator.\nPath: ["a b"]\nValue: "x"\nValidator: v.float64()',
    ],
    [
      "record key",
      v.object({ r: v.record(v.id("users"), v.number()) }),
      { r: { x: 1 } },
      'A key of the object does not match the validator of the record\'s keys.\nPath: .r\nValue: "x"\nValidator: v.id("users")',
    ],
    [
      "union",
      v.union(v.literal("a"), v.literal(true), v.array(v.null())),
      "c",
      'Value does not match validator.\nValue: "c"\nValidator: v.union(v.literal("a"), v.literal(true), v.array(v.null()))',
    ],
    [
      "union of one says what its member says",
      v.union(v.object({ a: v.null() })),
      { a: 1 },
      "Value does not match validator.\nPath: .a\nValue: 1.0\nValidator: v.null()",
    ],
    ["bytes", v.null(), { $bytes: "AQI=" }, "Value does not match validator.\nValue: <2 bytes>\nValidator: v.null()"],
    ["array for object", v.object({}), [], "Value does not match validator.\nValue: []\nValidator: v.object({})"],
    ["object for array", v.array(v.any()), {}, "Value does not match validator.\nValue: {}\nValidator: v.array(v.any())"],
    [
      "array for record",
      v.record(v.string(), v.any()),
      [],
      "Value does not match validator.\nValue: []\nValidator: v.record(v.string(), v.any())",
    ],
  ];
  test.each(refused)("%s is refused", (_what, exported, json, text) => {
    expect(failureOf(exported, json)).toBe(text);
  });

  test("a field that only the prototype of an ordinary object has is missing", () => {
    expect(failureOf(v.object({ toString: v.any() }), {})).toContain("missing the required field `toString`");
    const proto = parseValidatorText('{"type":"object","value":{"__proto__":{"fieldType":{"type":"number"},"optional":false}}}');
    expect(checkValue(proto, parseValueText('{"__proto__":1}'), options)).toBe(null);
    expect(checkValue(proto, parseValueText("{}"), options)?.message).toContain("`__proto__`");
  });

  /** The validator that fits `v` and nothing of another shape. */
  function shapeOf(of: Value): unknown {
    if (of === null) return { type: "null" };
    if (typeof of === "object" && !(of instanceof ArrayBuffer)) {
      if (Array.isArray(of)) return { type: "array", value: { type: "union", value: of.map(shapeOf) } };
      if (!isValueObject(of)) throw new Error("unreachable");
      const fields: Record<string, unknown> = Object.create(null);
      for (const [name, inner] of Object.entries(of)) fields[name] = { fieldType: shapeOf(inner), optional: false };
      return { type: "object", value: fields };
    }
    if (of instanceof ArrayBuffer) return { type: "bytes" };
    return { type: "literal", value: valueToJson(of) };
  }

  test("a value fits its own shape, alone, as one of a union and as a field; a changed one does not", () => {
    fc.assert(
      fc.property(value, (of) => {
        const shape = shapeOf(of);
        const validator = parseValidator(JSON.parse(JSON.stringify(shape)));
        expect(checkValue(validator, of, options)).toBe(null);
        expect(checkValue(parseValidator({ type: "union", value: [{ type: "union", value: [] }, shape] }), of, options)).toBe(null);
        const wrapped = { type: "object", value: { x: { fieldType: shape, optional: true } } };
        expect(checkValue(parseValidator(wrapped), objectOf([["x", of]]), options)).toBe(null);
        expect(checkValue(parseValidator(wrapped), objectOf([]), options)).toBe(null);
        const failure = checkValue(parseValidator(wrapped), objectOf([["x", [of]]]), options);
        if (!Array.isArray(of)) expect(failure?.path[0]).toBe("x");
      }),
      { numRuns: 500 },
    );
  });

  test("long values and validators are cut in the text", () => {
    const wide = parsed(v.union(...Array.from({ length: 3000 }, (_, i) => v.literal(`member ${i}`))));
    for (const long of ["x".repeat(1_000_000), Array<Value>(8000).fill("abc"), [[["y".repeat(500_000)]]]]) {
      const failure = checkValue(wide, long, options);
      const text = failure === null ? "" : describeFailure(failure);
      expect(text.length).toBeGreaterThan(4000);
      expect(text.length).toBeLessThan(5000);
    }
  });

  test("work that a hostile validator multiplies is bounded", () => {
    const many = parsed(v.array(v.array(v.union(...Array.from({ length: 8000 }, (_, i) => v.literal(i))))));
    const large = Array.from({ length: 100 }, () => Array<Value>(1000).fill(-1));
    expect(checkValue(many, [[5, 7999]], options)).toBe(null);
    const endless = parsed(v.array(v.union(v.array(v.null()), ...Array.from({ length: 8000 }, (_, i) => v.literal(i)))));
    expect(() => checkValue(endless, Array<Value>(8000).fill(7999), options)).toThrow(PlinthError);
    expect(checkValue(many, large, options)?.path).toEqual([0, 0]);
  });

  test("the work of one check is bounded, and checks that share a budget are bounded together", () => {
    const endless = parsed(v.array(v.union(v.array(v.null()), ...Array.from({ length: 1000 }, (_, i) => v.literal(i)))));
    const budget = validationBudget();
    const steps = (elements: number): number => {
      const before = budget.used;
      expect(checkValue(endless, Array<Value>(elements).fill(999), options, budget)).toBe(null);
      return budget.used - before;
    };
    expect(() => checkValue(endless, Array<Value>(8000).fill(999), options, budget)).toThrow("Steps of the validation of a value: ");
    expect(budget.used).toBe(limit("validationStepsMax") + 1);
    expect(steps(1900)).toBeGreaterThan(1_900_000);
    expect(() => {
      for (let i = 0; i < 10; i += 1) steps(1900);
    }).toThrow("Steps of the validation of all values of a call");
    expect(() => checkValue(endless, [], options, budget)).toThrow(PlinthError);
    expect(budget.used).toBeLessThanOrEqual(limit("validationStepsPerCallMax") + 2);
  });
});

describe("parseValidator", () => {
  const deep = (depth: number): unknown => {
    let json: unknown = { type: "any" };
    for (let i = 0; i < depth; i += 1) json = { type: "array", value: json };
    return json;
  };
  const field = (fieldType: unknown): unknown => ({ type: "object", value: { a: { fieldType, optional: false } } });
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["null", null, "a validator is an object with a `type`"],
    ["an array", [], "a validator is an object with a `type`"],
    ["no type", {}, "something is not a type"],
    ["an unknown type", { type: "float" }, '"float" is not a type of validator'],
    ["a type of the prototype", { type: "constructor" }, '"constructor" is not a type'],
    ["a literal without value", { type: "literal" }, "undefined is not a value"],
    ["a literal null", { type: "literal", value: null }, "a literal is a string, number, int64 or boolean"],
    ["an id without table", { type: "id" }, "needs the name of a table"],
    ["an id of a bad table", { type: "id", tableName: "a b" }, 'the table name "a b" is not valid'],
    ["an array without element", { type: "array" }, "at .element"],
    [
      "a record with optional values",
      { type: "record", keys: { type: "string" }, values: { fieldType: { type: "any" }, optional: true } },
      "cannot be optional",
    ],
    ["a record without values", { type: "record", keys: { type: "string" } }, "needs a validator of its values"],
    ["an object without fields", { type: "object" }, "needs an object of fields"],
    ["a field without optional", { type: "object", value: { a: { fieldType: { type: "any" } } } }, "needs `fieldType` and `optional`"],
    ["a bad field name", { type: "object", value: { $a: { fieldType: { type: "any" }, optional: false } } }, "reserved"],
    ["a bad inner validator", field({ type: "union", value: [{ type: "any" }, 5] }), "at .a[1]"],
    ["a union without list", { type: "union", value: {} }, "needs a list of validators"],
    ["too deep", deep(65), "nested deeper than 64 levels"],
    ["far too deep", deep(5000), "nested deeper than 64 levels"],
    ["too many parts", { type: "union", value: Array.from({ length: 16_384 }, () => ({ type: "any" })) }, "more than 16384 parts"],
  ];
  test.each(cases)("refuses %s", (_what, json, part) => {
    expect(() => parseValidator(json)).toThrow(part);
    expect(() => parseValidator(json)).toThrow("The package cannot be deployed");
  });

  test("reads text, and refuses text that is too deep or no JSON", () => {
    expect(parseValidatorText('{"type":"any"}')).toEqual({ type: "any" });
    expect(parseValidatorText(JSON.stringify(deep(64))).type).toBe("array");
    for (const text of ["", "{", "[".repeat(1_000_000)]) expect(() => parseValidatorText(text)).toThrow("not usable JSON");
  });

  test("system tables can be referred to", () => {
    expect(parsed(v.id("_storage"))).toEqual({ type: "id", tableName: "_storage" });
  });
});

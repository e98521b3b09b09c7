import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closeValue as close, document, int64, objectOf } from "../../test/value-arbitraries.ts";
import { PlinthError } from "../errors.ts";
import { buildIndexRange, fieldAt, indexKeyFields, indexKeyValues, type IndexKeyRange } from "./index-range.ts";
import { compareBytes, encodeKeyValues } from "./keys.ts";
import { compareValues } from "./order.ts";
import { valueToJson, type Value, type ValueObject } from "./values.ts";

const FIELDS = ["a", "b.c", "d"];
const json = (value: Value | undefined): unknown => (value === undefined ? { $undefined: null } : valueToJson(value));
const expression = (type: string, fieldPath: string, value: Value | undefined): unknown => ({ type, fieldPath, value: json(value) });
const build = (range: unknown, fields: readonly string[] = FIELDS): IndexKeyRange =>
  buildIndexRange({ indexName: "t.by_x", fields, range });

function contains(range: IndexKeyRange, values: readonly (Value | undefined)[]): boolean {
  const key = encodeKeyValues(values);
  return compareBytes(range.start, key) <= 0 && (range.end === null || compareBytes(key, range.end) < 0);
}

const lowerType = fc.constantFrom("Gt", "Gte");
const upperType = fc.constantFrom("Lt", "Lte");

function satisfies(type: string, order: number): boolean {
  return { Eq: order === 0, Gt: order > 0, Gte: order >= 0, Lt: order < 0, Lte: order <= 0 }[type] ?? false;
}

describe("buildIndexRange", () => {
  test("a key is in the range exactly when its values satisfy the expressions", () => {
    fc.assert(
      fc.property(
        fc.array(close, { minLength: 5, maxLength: 5 }),
        fc.array(close, { maxLength: 4 }),
        fc.option(fc.tuple(lowerType, close), { nil: undefined }),
        fc.option(fc.tuple(upperType, close), { nil: undefined }),
        fc.boolean(),
        (key, equal, lower, upper, reverse) => {
          const fields = indexKeyFields(FIELDS);
          const next = fields[equal.length] ?? "";
          const parts: [string, number, Value | undefined][] = equal.map((value, i) => ["Eq", i, value]);
          if (lower !== undefined) parts.push([lower[0], equal.length, lower[1]]);
          if (upper !== undefined) parts.push([upper[0], equal.length, upper[1]]);
          const range = parts.map(([type, i, value]) => expression(type, fields[i] ?? next, value));
          if (reverse) range.reverse();
          const expected = parts.every(([type, i, value]) => satisfies(type, compareValues(key[i], value)));
          expect(contains(build(range), key)).toBe(expected);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("no expression selects all, and start never lies behind end", () => {
    expect(build([])).toEqual({ start: new Uint8Array(), end: null });
    const empty = build([expression("Gt", "a", 5), expression("Lt", "a", 3)]);
    expect(empty.end).toEqual(empty.start);
  });

  test("a moment that is not known yet is the greatest int64", () => {
    const range = build([{ type: "Lt", fieldPath: "a", value: { $commitTs: null } }]);
    fc.assert(
      fc.property(int64, (value) => {
        expect(contains(range, [value])).toBe(value !== 2n ** 63n - 1n);
      }),
    );
    expect(contains(range, [0])).toBe(false);
  });

  test("the implied fields can be used, and those of the built-in indexes", () => {
    expect(indexKeyFields(["a"])).toEqual(["a", "_creationTime", "_id"]);
    expect(indexKeyFields(["_creationTime"])).toEqual(["_creationTime", "_id"]);
    expect(indexKeyFields(["_id"])).toEqual(["_id"]);
    expect(contains(build([expression("Eq", "a", 1), expression("Gte", "_creationTime", 100)], ["a"]), [1, 100, "id"])).toBe(true);
    expect(contains(build([expression("Eq", "_id", "x")], ["_id"]), ["x"])).toBe(true);
    expect(contains(build([expression("Lt", "_creationTime", 5)], ["_creationTime"]), [5, "id"])).toBe(false);
  });

  const long = Array.from({ length: 7 }, () => expression("Eq", "a", 1));
  const refused: readonly (readonly [string, unknown, string])[] = [
    ["null", null, "a list of expressions"],
    ["an object", {}, "a list of expressions"],
    ["null within", [null], "Eq, Gt, Gte, Lt or Lte"],
    ["an unknown type", [{ type: "Neq", fieldPath: "a", value: 1 }], "Eq, Gt, Gte, Lt or Lte"],
    ["a type of the prototype", [{ type: "toString", fieldPath: "a", value: 1 }], "Eq, Gt, Gte, Lt or Lte"],
    ["no field", [{ type: "Eq", value: 1 }], "A field path has to be a string"],
    ["no value", [{ type: "Eq", fieldPath: "a" }], "the expression on `a` has no value"],
    ["a bad value", [{ type: "Eq", fieldPath: "a", value: { $x: 1 } }], "is not a kind of value"],
    ["another field", [expression("Eq", "z", 1)], "`z` is not a field of the index"],
    ["a gap", [expression("Eq", "b.c", 1)], "`a` needs an `eq`"],
    ["a gap behind", [expression("Eq", "a", 1), expression("Eq", "d", 1)], "`b.c` needs an `eq`"],
    ["two of one field", [expression("Eq", "a", 1), expression("Eq", "a", 1)], "two `eq` on `a`"],
    ["two lower bounds", [expression("Gt", "a", 1), expression("Gte", "a", 1)], "two lower bounds on `a`"],
    ["two upper bounds", [expression("Lt", "a", 1), expression("Lt", "a", 2)], "two upper bounds on `a`"],
    ["bounds on two fields", [expression("Gt", "a", 1), expression("Lt", "b.c", 1)], "a bound is possible on `a` here, not on `b.c`"],
    ["a bound on a fixed field", [expression("Eq", "a", 1), expression("Lt", "a", 5)], "a bound is possible on `b.c` here, not on `a`"],
    [
      "a bound behind all",
      [...indexKeyFields(FIELDS).map((field) => expression("Eq", field, 1)), expression("Lt", "a", 5)],
      "on no field here",
    ],
    ["too many", long, "it has 7 expressions"],
  ];
  test.each(refused)("refuses %s", (_what, range, part) => {
    expect(() => build(range)).toThrow(part);
    try {
      build(range);
    } catch (error) {
      expect((error as PlinthError).code).toBe("InvalidArgument");
    }
  });

  test("the error names the index and its fields", () => {
    expect(() => build([expression("Eq", "d", 1)])).toThrow("The range of the index t.by_x (a, b.c, d, _creationTime, _id) is not valid");
  });
});

describe("index keys", () => {
  test("one value for each field, undefined where there is none", () => {
    const of = objectOf([
      ["a", 1],
      ["b", objectOf([["c", "x"]])],
    ]);
    expect(indexKeyValues(of, ["a", "b.c", "b.d", "a.b", "e"])).toEqual([1, "x", undefined, undefined, undefined]);
  });

  test("documents order in the index as their values do", () => {
    const keyOf = (of: ValueObject): Uint8Array => encodeKeyValues(indexKeyValues(of, ["a", "b"]));
    fc.assert(
      fc.property(document, document, (x, y) => {
        const order = compareValues(fieldAt(x, "a"), fieldAt(y, "a")) || compareValues(fieldAt(x, "b"), fieldAt(y, "b"));
        expect(Math.sign(compareBytes(keyOf(x), keyOf(y)))).toBe(Math.sign(order));
      }),
      { numRuns: 1000 },
    );
  });
});

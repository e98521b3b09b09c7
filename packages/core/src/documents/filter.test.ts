import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { document, int64, maybeValue, objectOf, value } from "../../test/value-arbitraries.ts";
import { PlinthError } from "../errors.ts";
import { evaluateExpression, evaluateFilter, filterBudget, parseExpression } from "./filter.ts";
import { compareValues } from "./order.ts";
import { valueToJson, type Value } from "./values.ts";

const doc = objectOf([
  ["n", 5],
  ["i", 7n],
  ["s", "text"],
  ["b", true],
  [
    "nested",
    objectOf([
      ["x", objectOf([["y", 1]])],
      ["list", [1]],
    ]),
  ],
  ["bytes", new ArrayBuffer(3)],
]);
const $ = (literal: unknown): unknown => ({ $literal: literal });
const field = (path: string): unknown => ({ $field: path });
const int = (value: bigint): unknown => $(valueToJson(value));
const literal = (value: Value | undefined): unknown => $(value === undefined ? { $undefined: null } : valueToJson(value));
const evaluate = (json: unknown): Value | undefined => evaluateExpression(parseExpression(json), doc);

describe("evaluateExpression", () => {
  const cases: readonly (readonly [unknown, Value | undefined])[] = [
    [$("x"), "x"],
    [$({ $undefined: null }), undefined],
    [field("n"), 5],
    [field("nested.x.y"), 1],
    [field("nested.list.0"), undefined],
    [field("nested.list.length"), undefined],
    [field("bytes.byteLength"), undefined],
    [field("s.length"), undefined],
    [field("toString"), undefined],
    [field("nested.__proto__"), undefined],
    [{ $eq: [field("n"), $(5)] }, true],
    [{ $eq: [field("n"), int(5n)] }, false],
    [{ $eq: [field("missing"), $({ $undefined: null })] }, true],
    [{ $eq: [field("missing"), $(null)] }, false],
    [{ $lt: [field("missing"), $(null)] }, true],
    [{ $neq: [field("missing"), $(2)] }, true],
    [{ $lt: [int(100n), $(1)] }, true],
    [{ $gt: [$("a"), $(1e300)] }, true],
    [{ $add: [field("n"), $(0.5)] }, 5.5],
    [{ $sub: [field("i"), int(10n)] }, -3n],
    [{ $mul: [int(-3n), int(4n)] }, -12n],
    [{ $div: [$(1), $(0)] }, Infinity],
    [{ $div: [int(-7n), int(2n)] }, -3n],
    [{ $mod: [int(-7n), int(2n)] }, -1n],
    [{ $mod: [$(-7), $(2)] }, -1],
    [{ $neg: field("i") }, -7n],
    [{ $neg: $(1) }, -1],
    [{ $not: field("b") }, false],
    [{ $and: [] }, true],
    [{ $or: [] }, false],
    [{ $and: [field("b"), { $lt: [field("n"), $(6)] }] }, true],
    [{ $or: [$(false), { $gte: [field("n"), $(6)] }] }, false],
    // The rest is not evaluated.
    [{ $and: [$(false), $(1)] }, false],
    [{ $or: [field("b"), { $add: [$(1), $("x")] }] }, true],
  ];
  test.each(cases)("%j", (json, expected) => {
    expect(evaluate(json)).toEqual(expected);
  });

  const wrong: readonly (readonly [unknown, string])[] = [
    [{ $add: [$(1), int(1n)] }, "Cannot add 1.0 and 1n; both have to be float64 or both int64."],
    [{ $sub: [$("a"), $("b")] }, 'Cannot subtract "a" and "b"'],
    [{ $mul: [field("missing"), $(1)] }, "Cannot multiply undefined and 1.0"],
    [{ $add: [int(2n ** 63n - 1n), int(1n)] }, "does not fit into 64 bits"],
    [{ $mul: [int(2n ** 62n), int(2n)] }, "does not fit into 64 bits"],
    [{ $div: [int(-(2n ** 63n)), int(-1n)] }, "does not fit into 64 bits"],
    [{ $neg: int(-(2n ** 63n)) }, "does not fit into 64 bits"],
    [{ $div: [int(1n), int(0n)] }, "by 0n"],
    [{ $mod: [int(1n), int(0n)] }, "by 0n"],
    [{ $neg: $("a") }, 'Cannot negate "a"'],
    [{ $not: $(1) }, "A filter needs a boolean, not 1.0."],
    [{ $and: [$(true), $(null)] }, "A filter needs a boolean, not null."],
  ];
  test.each(wrong)("%j is an error of the function", (json, message) => {
    expect(() => evaluate(json)).toThrow(message);
    expect(() => evaluate(json)).toThrow(PlinthError);
  });

  test("comparisons are those of the order of values", () => {
    fc.assert(
      fc.property(maybeValue, maybeValue, (a, b) => {
        const order = compareValues(a, b);
        const holds = (op: string): Value | undefined => evaluate({ [op]: [literal(a), literal(b)] });
        expect(["$eq", "$neq", "$lt", "$lte", "$gt", "$gte"].map(holds)).toEqual([
          order === 0,
          order !== 0,
          order < 0,
          order <= 0,
          order > 0,
          order >= 0,
        ]);
      }),
    );
  });

  test("int64 arithmetic is exact or refused", () => {
    const ops = { $add: (a: bigint, b: bigint) => a + b, $sub: (a: bigint, b: bigint) => a - b, $mul: (a: bigint, b: bigint) => a * b };
    fc.assert(
      fc.property(int64, int64, fc.constantFrom("$add", "$sub", "$mul"), (a, b, op) => {
        const exact = ops[op](a, b);
        const run = (): Value | undefined => evaluate({ [op]: [int(a), int(b)] });
        if (BigInt.asIntN(64, exact) === exact) expect(run()).toBe(exact);
        else expect(run).toThrow("64 bits");
      }),
    );
  });

  test("a field is what the document has", () => {
    fc.assert(
      fc.property(document, fc.string({ maxLength: 4 }), value, (of, name, inner) => {
        fc.pre(name !== "" && !name.includes("."));
        const outer = objectOf([...Object.entries(of), [name, objectOf([["in", inner]])]]);
        expect(evaluateExpression(parseExpression(field(name)), outer)).toBe(outer[name]);
        expect(evaluateExpression(parseExpression(field(`${name}.in`)), outer)).toBe(inner);
      }),
    );
  });
});

describe("bounds", () => {
  test("the work of all filters of a transaction is bounded", () => {
    const filter = parseExpression({ $and: Array.from({ length: 500 }, () => ({ $eq: [field("n"), $(5)] })).slice(0, 250) });
    const budget = filterBudget();
    expect(() => {
      for (let i = 0; i < 100_000; i += 1) {
        budget.startPiece();
        evaluateFilter(filter, doc, budget);
      }
    }).toThrow("Steps of the filters of one function call");
  });

  test("comparing large values counts as more work", () => {
    const large = "x".repeat(500_000);
    const list = Array<Value>(8000).fill([1, 2, 3]);
    const equal = parseExpression({ $and: Array.from({ length: 300 }, () => ({ $eq: [field("large"), field("large")] })) });
    for (const of of [large, list]) {
      expect(() => evaluateFilter(equal, objectOf([["large", of]]))).toThrow("Steps of the filters for one document");
    }
    expect(evaluateFilter(equal, objectOf([["large", "x"]]))).toBe(true);
  });
});

describe("parseExpression", () => {
  const deep = (depth: number): unknown => {
    let json: unknown = $(true);
    for (let i = 0; i < depth; i += 1) json = { $not: json };
    return json;
  };
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["null", null, "one operator"],
    ["a list", [$(1)], "one operator"],
    ["text", "x", "one operator"],
    ["no operator", {}, "one operator"],
    ["two operators", { $not: $(true), $neg: $(1) }, "one operator"],
    ["an unknown operator", { $where: "1" }, '"$where" is not an operator'],
    ["one operand", { $eq: [$(1)] }, "`$eq` needs two operands, not 1"],
    ["three operands", { $add: [$(1), $(1), $(1)] }, "`$add` needs two operands, not 3"],
    ["no list", { $and: $(true) }, "`$and` needs a list"],
    ["a bad literal", $({ $set: [] }), "is not a kind of value"],
    ["undefined within a literal", $([{ $undefined: null }]), "is not a kind of value"],
    ["a field that is no text", { $field: 1 }, "A field path has to be a string"],
    ["a field without name", { $field: "" }, "1 to 1024"],
    ["a long field", { $field: "a.".repeat(1000) }, "1 to 1024"],
    ["too deep", deep(65), "nested deeper than 64 levels"],
    ["far too deep", deep(5000), "nested deeper than 64 levels"],
    ["too many parts", { $or: Array.from({ length: 1024 }, () => $(true)) }, "more than 1024 parts"],
  ];
  test.each(cases)("refuses %s", (_what, json, part) => {
    expect(() => parseExpression(json)).toThrow(part);
    try {
      parseExpression(json);
    } catch (error) {
      expect((error as PlinthError).code).toBe("InvalidArgument");
    }
  });
});

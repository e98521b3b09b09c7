import { convexToJson, jsonToConvex, type Value as ConvexValue } from "convex/values";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { objectOf, value } from "../../test/value-arbitraries.ts";
import { PlinthError, type ErrorCode } from "../errors.ts";
import { compareValues } from "./order.ts";
import {
  checkDocument,
  isValueObject,
  parseValueText,
  valueDepth,
  valueFromJson,
  valueSizeBytes,
  valueToCleanJson,
  valueToJson,
  valueToText,
  type Value,
} from "./values.ts";

function codeOf(run: () => unknown): { code: ErrorCode; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof PlinthError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not throw");
}

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("round trips", () => {
  test("a value is the same after its JSON and its text", () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(compareValues(valueFromJson(valueToJson(v)), v)).toBe(0);
        expect(compareValues(parseValueText(valueToText(v)), v)).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  test("equal values have one text, whatever the order of their fields", () => {
    const reversed = (v: Value): Value => {
      if (Array.isArray(v)) return v.map(reversed);
      if (!isValueObject(v)) return v;
      return objectOf(
        Object.entries(v)
          .reverse()
          .map(([name, inner]) => [name, reversed(inner)] as const),
      );
    };
    fc.assert(
      fc.property(value, (v) => {
        expect(valueToText(reversed(v))).toBe(valueToText(v));
      }),
    );
  });

  test("text and JSON are the same thing", () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(JSON.parse(valueToText(v))).toEqual(JSON.parse(JSON.stringify(valueToJson(v))));
      }),
    );
  });

  test("the convex package reads what is written, and writes what is read", () => {
    // Its own objects lose a field named `__proto__`.
    const plain = value.filter((v) => !valueToText(v).includes("__proto__"));
    fc.assert(
      fc.property(plain, (v) => {
        const theirs: ConvexValue = jsonToConvex(JSON.parse(valueToText(v)));
        expect(compareValues(valueFromJson(JSON.parse(JSON.stringify(convexToJson(theirs)))), v)).toBe(0);
      }),
    );
  });

  test("clean JSON can always be serialised and has no tags", () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(JSON.stringify(valueToCleanJson(v))).not.toMatch(/"\$(integer|float|bytes)":/);
      }),
    );
  });
});

describe("exact texts", () => {
  const buffer = new Uint8Array([1, 2, 255]).buffer;
  const cases: readonly (readonly [Value, string, string])[] = [
    [null, "null", "null"],
    [1, "1", "1"],
    [1.5e300, "1.5e+300", "1.5e+300"],
    [-0, '{"$float":"AAAAAAAAAIA="}', "0"],
    [Number.NaN, '{"$float":"AAAAAAAA+H8="}', '"NaN"'],
    [Infinity, '{"$float":"AAAAAAAA8H8="}', '"Infinity"'],
    [-Infinity, '{"$float":"AAAAAAAA8P8="}', '"-Infinity"'],
    [1n, '{"$integer":"AQAAAAAAAAA="}', '"1"'],
    [-(2n ** 63n), '{"$integer":"AAAAAAAAAIA="}', '"-9223372036854775808"'],
    [buffer, '{"$bytes":"AQL/"}', '"AQL/"'],
    [[], "[]", "[]"],
    [objectOf([]), "{}", "{}"],
    [
      objectOf([
        ["b", 1],
        ["a", [true]],
        ["10", ""],
        ["9", "\n"],
      ]),
      '{"10":"","9":"\\n","a":[true],"b":1}',
      '{"9":"\\n","10":"","a":[true],"b":1}',
    ],
  ];
  test.each(cases)("%s", (v, text, clean) => {
    expect(valueToText(v)).toBe(text);
    expect(JSON.stringify(valueToCleanJson(v))).toBe(clean);
  });

  test("NaN of any bits is one NaN", () => {
    // A negative NaN with a payload.
    expect(valueToText(parseValueText('{"$float":"AQAAAAAA+P8="}'))).toBe('{"$float":"AAAAAAAA+H8="}');
  });

  test("an integer beyond 64 bits cannot be written", () => {
    expect(codeOf(() => valueToText(2n ** 63n)).code).toBe("InvalidValue");
  });
});

describe("hostile JSON", () => {
  const wide = (count: number): string => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 0])));
  const cases: readonly (readonly [string, ErrorCode, string])[] = [
    ["", "MalformedJson", ""],
    ["{", "MalformedJson", ""],
    ['{"a":1}x', "MalformedJson", ""],
    ["[[[", "MalformedJson", ""],
    ["]]]]", "MalformedJson", ""],
    ['"\\ud800"', "InvalidValue", "half of a surrogate pair"],
    ['{"a":{"b":["\\udc00x"]}}', "InvalidValue", "at .a.b[0]"],
    ["1e999", "InvalidValue", "too large for a float64"],
    ["[-1e999]", "InvalidValue", "at [0]"],
    ['{"$integer":"AQAAAAAAAA=="}', "InvalidValue", "`$integer` needs 8 bytes, not 7"],
    ['{"$integer":"AQAAAAAAAAAA"}', "InvalidValue", "needs 8 bytes, not 9"],
    ['{"$integer":"AQAAAAAAAAB="}', "InvalidValue", "needs base64 text"],
    ['{"$integer":5}', "InvalidValue", "needs base64 text"],
    ['{"$integer":" AQAAAAAAAAA="}', "InvalidValue", "needs base64 text"],
    ['{"$bytes":"AQI"}', "InvalidValue", "needs base64 text"],
    ['{"$bytes":"A\\nQL/AQI="}', "InvalidValue", "needs base64 text"],
    ['{"$bytes":"-_8="}', "InvalidValue", "needs base64 text"],
    ['{"$bytes":"AR=="}', "InvalidValue", "needs base64 text"],
    ['{"$float":"AAAAAAAA8D8="}', "InvalidValue", "has to be written as a plain number"],
    ['{"$set":[]}', "InvalidValue", "`$set` is not a kind of value"],
    ['{"$undefined":null}', "InvalidValue", "`$undefined` is not a kind of value"],
    ['{"a":1,"$b":2}', "InvalidValue", "reserved"],
    ['{"$bytes":"","a":1}', "InvalidValue", "reserved"],
    ['{"é":1}', "InvalidValue", "printable ASCII"],
    ['{"a\\u0000":1}', "InvalidValue", "printable ASCII"],
    [`{"x":{"${"n".repeat(1025)}":1}}`, "InvalidValue", "at .x is not valid: a field name has 1025 characters"],
    [`[${"0,".repeat(8192)}0]`, "InvalidValue", "8193 elements"],
    [wide(1025), "InvalidValue", "1025 fields"],
    [nested(65), "TooDeep", ""],
    [nested(100_000), "TooDeep", ""],
    ['{"a":'.repeat(1_000_000), "TooDeep", ""],
  ];
  test.each(
    cases.map(([text, code, part]) => [text.length > 60 ? `${text.slice(0, 30)}… (${text.length})` : text, code, part, text] as const),
  )("%s → %s %s", (_shown, code, part, text) => {
    const error = codeOf(() => parseValueText(text));
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.message.length).toBeLessThan(400);
  });

  test("what is just allowed is read", () => {
    expect(valueDepth(parseValueText(nested(64)))).toBe(64);
    expect(valueDepth(parseValueText(`${"[".repeat(64)}{"$integer":"AQAAAAAAAAA="}${"]".repeat(64)}`))).toBe(64);
    expect(Object.keys(parseValueText(wide(1024)) as object)).toHaveLength(1024);
    expect(parseValueText(`[${"0,".repeat(8191)}0]`)).toHaveLength(8192);
    expect(valueToText(parseValueText(`{"${"n".repeat(1024)}":1}`))).toHaveLength(1030);
    expect(valueToText(parseValueText("-0"))).toBe('{"$float":"AAAAAAAAAIA="}');
  });

  test("prototype keys are fields, and the last of two equal keys counts", () => {
    const v = parseValueText('{"__proto__":{"polluted":1},"constructor":2,"a":1,"a":{"toString":3}}');
    expect(valueToText(v)).toBe('{"__proto__":{"polluted":1},"a":{"toString":3},"constructor":2}');
    expect(Object.getPrototypeOf(v)).toBe(null);
    expect(JSON.stringify(valueToJson(v))).toBe(valueToText(v));
    expect(({} as { polluted?: unknown }).polluted).toBe(undefined);
  });

  test("what JSON.parse cannot make is refused too", () => {
    for (const json of [undefined, 1n, Symbol("x"), () => 1, { a: undefined }])
      expect(codeOf(() => valueFromJson(json)).code).toBe("InvalidValue");
  });

  test("any text gives a value or a registered error", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string(), fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ",", ":", "1", "$", "n") })),
        (text) => {
          try {
            parseValueText(text);
          } catch (error) {
            expect(error).toBeInstanceOf(PlinthError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("size and depth", () => {
  const utf8 = new TextEncoder();
  const naive = (v: Value): number => {
    if (v === null || typeof v === "boolean") return 1;
    if (typeof v === "number" || typeof v === "bigint") return 9;
    if (typeof v === "string") return 2 + utf8.encode(v).length;
    if (v instanceof ArrayBuffer) return 2 + v.byteLength;
    if (Array.isArray(v)) return v.reduce<number>((sum, inner) => sum + naive(inner), 2);
    return Object.entries(v).reduce((sum, [name, inner]) => sum + name.length + 1 + naive(inner), 2);
  };

  test("the size is that of the definition", () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(valueSizeBytes(v)).toBe(naive(v));
      }),
    );
    expect(valueSizeBytes(objectOf([["abc", "é😀"]]))).toBe(2 + 4 + 2 + 6);
  });

  test("depth counts arrays and objects", () => {
    expect([null, "x", new ArrayBuffer(1), [], [[], []], objectOf([["a", [objectOf([])]]])].map(valueDepth)).toEqual([0, 0, 0, 1, 2, 3]);
  });
});

describe("checkDocument", () => {
  test("accepts what may be stored", () => {
    checkDocument(
      objectOf([
        ["a".repeat(64), 1],
        [
          "b",
          objectOf([
            ["_inner", 1],
            ["x".repeat(100), 1],
          ]),
        ],
      ]),
    );
    checkDocument(objectOf([["a", parseValueText(nested(15))]]));
    checkDocument(objectOf([["a", "x".repeat(1024 * 1024 - 2 - 2 - 2)]]));
  });

  const refused: readonly (readonly [string, Value, ErrorCode])[] = [
    ["null", null, "InvalidArgument"],
    ["an array", [], "InvalidArgument"],
    ["_id", objectOf([["_id", "x"]]), "InvalidArgument"],
    ["a long name", objectOf([["a".repeat(65), 1]]), "InvalidArgument"],
    ["17 levels", objectOf([["a", parseValueText(nested(16))]]), "LimitExceeded"],
    ["1 MiB and a byte", objectOf([["a", "x".repeat(1024 * 1024 - 2 - 2 - 1)]]), "LimitExceeded"],
  ];
  test.each(refused)("refuses %s", (_what, v, code) => {
    expect(codeOf(() => checkDocument(v)).code).toBe(code);
  });
});

/** Random values for property tests, with the edges of every type among them. */
import fc from "fast-check";
import type { Value, ValueObject } from "../src/documents/values.ts";

const edgeFloats = [
  0,
  -0,
  1,
  -1,
  0.1,
  Number.NaN,
  Infinity,
  -Infinity,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2 ** 53,
  1e21,
];
const edgeIntegers = [0n, 1n, -1n, 127n, 128n, 255n, 256n, -255n, -256n, -257n, 65_535n, 65_536n, -65_536n, -65_537n].concat([
  2n ** 32n - 1n,
  2n ** 32n,
  -(2n ** 32n),
  -(2n ** 32n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]);
const edgeStrings = [
  "",
  "\0",
  "\0\0",
  "\x01",
  "\x02",
  "a",
  "a\0",
  "a\x01",
  "a\0b",
  "ab",
  "é",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{1f600}",
  "\u{10ffff}",
  "\ufeffx",
  "__proto__",
];

export const float = fc.oneof(fc.constantFrom(...edgeFloats), fc.double());
export const int64 = fc.oneof(fc.constantFrom(...edgeIntegers), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
export const text = fc.oneof(fc.constantFrom(...edgeStrings), fc.string({ unit: "binary", maxLength: 12 }), fc.string({ maxLength: 12 }));
export const bytes = fc.uint8Array({ maxLength: 10 }).map((array) => array.slice().buffer);

export const scalar: fc.Arbitrary<Value> = fc.oneof(fc.constant(null), fc.boolean(), float, int64, text, bytes);

/**
 * Names that every object may have. None has a backslash: V8 14.6 (Node 26.10) compares the source text of a key, escapes and
 * all, with names that it has parsed before. After `{"a": 1, "\\": 2}` it reads the last name of `{"a": 1, "\"": 2}` as a
 * backslash.
 */
export const fieldName = fc
  .oneof(
    fc.constantFrom("a", "b", "ab", "", "0", "10", "9", "__proto__", "constructor", "toString", "x y", '"', "~"),
    fc.string({ maxLength: 6 }),
  )
  .filter((name) => !name.startsWith("$") && !name.includes("\\"));

export function objectOf(entries: readonly (readonly [string, Value])[]): ValueObject {
  const object: ValueObject = Object.create(null);
  for (const [name, value] of entries) object[name] = value;
  return object;
}

/** Any value, at most a few levels deep. */
export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value; array: Value[]; object: ValueObject }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("array"), tie("object")),
  array: fc.array(tie("value"), { maxLength: 4 }),
  object: fc.array(fc.tuple(fieldName, tie("value")), { maxLength: 4 }).map(objectOf),
})).value;

export const document: fc.Arbitrary<ValueObject> = fc.array(fc.tuple(fieldName, value), { maxLength: 6 }).map(objectOf);

export const maybeValue: fc.Arbitrary<Value | undefined> = fc.oneof(
  { weight: 8, arbitrary: value },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** Few values, so that two of them are often equal, or one begins the other. */
export const closeValue: fc.Arbitrary<Value | undefined> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<Value | undefined>(
      undefined,
      null,
      0n,
      1n,
      0,
      -0,
      1,
      "",
      "\0",
      "\x01",
      "a",
      "a\0",
      "a\x01",
      "a\x02",
      "b",
      true,
      [],
      ["a"],
      ["a\0"],
      objectOf([]),
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2, max: 2 }).map((array) => array.slice().buffer) },
  { weight: 1, arbitrary: maybeValue },
);

import { compareValues as compareInConvex, type Value as ConvexValue } from "convex/values";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maybeValue, objectOf, text, value } from "../../test/value-arbitraries.ts";
import { compareText, compareValues } from "./order.ts";
import { compareBytes } from "./keys.ts";
import { valueToText, type Value } from "./values.ts";

test("the order of types and edges", () => {
  const ascending: readonly (Value | undefined)[] = [
    undefined,
    null,
    -(2n ** 63n),
    -1n,
    0n,
    2n ** 63n - 1n,
    -Infinity,
    -1,
    -0,
    0,
    Number.MIN_VALUE,
    1,
    Infinity,
    Number.NaN,
    false,
    true,
    "",
    "\0",
    "a",
    "a\0",
    "b",
    "\uffff",
    "\u{10000}",
    new ArrayBuffer(0),
    new Uint8Array([0]).buffer,
    new Uint8Array([255]).buffer,
    [],
    [null],
    [null, 1n],
    [[]],
    objectOf([]),
    objectOf([["a", 1]]),
    objectOf([
      ["a", 1],
      ["b", 0],
    ]),
    objectOf([["a", 2]]),
    objectOf([["b", 0]]),
  ];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) expect(Math.sign(compareValues(a, b))).toBe(Math.sign(i - j));
  }
});

test("it is a total order", () => {
  fc.assert(
    fc.property(maybeValue, maybeValue, maybeValue, (a, b, c) => {
      expect(Math.sign(compareValues(a, b))).toBe(0 - Math.sign(compareValues(b, a)));
      const [low, middle, high] = [a, b, c].sort(compareValues);
      // sort() may do anything with a comparison that is not transitive; undefined goes last in JavaScript.
      if (a !== undefined && b !== undefined && c !== undefined) {
        expect(compareValues(low, middle)).toBeLessThanOrEqual(0);
        expect(compareValues(middle, high)).toBeLessThanOrEqual(0);
        expect(compareValues(low, high)).toBeLessThanOrEqual(0);
      }
    }),
    { numRuns: 1000 },
  );
});

test("equal are those with one text", () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(compareValues(a, b) === 0).toBe(valueToText(a) === valueToText(b));
    }),
  );
});

test("strings order as their bytes", () => {
  const utf8 = new TextEncoder();
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Math.sign(compareBytes(utf8.encode(a), utf8.encode(b))));
    }),
    { numRuns: 1000 },
  );
});

test("it agrees with the convex package", () => {
  fc.assert(
    fc.property(maybeValue, maybeValue, (a, b) => {
      expect(Math.sign(compareValues(a, b))).toBe(Math.sign(compareInConvex(a as ConvexValue | undefined, b as ConvexValue | undefined)));
    }),
    { numRuns: 1000 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closeValue, maybeValue, objectOf } from "../../test/value-arbitraries.ts";
import { PlinthError } from "../errors.ts";
import { compareBytes, concatBytes, decodeKeyValues, encodeKeyValues, keyAfter, prefixEnd } from "./keys.ts";
import { compareValues } from "./order.ts";
import type { Value } from "./values.ts";

const values = fc.array(fc.oneof(closeValue, maybeValue), { maxLength: 4 });
const bytes = fc.uint8Array({ maxLength: 6 });

function compareLists(a: readonly (Value | undefined)[], b: readonly (Value | undefined)[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

describe("encodeKeyValues", () => {
  test("the order of the bytes is the order of the values", () => {
    fc.assert(
      fc.property(fc.oneof(closeValue, maybeValue), fc.oneof(closeValue, maybeValue), (a, b) => {
        expect(Math.sign(compareBytes(encodeKeyValues([a]), encodeKeyValues([b])))).toBe(Math.sign(compareValues(a, b)));
      }),
      { numRuns: 3000 },
    );
  });

  test("the order of keys of lists is the order of the lists", () => {
    fc.assert(
      fc.property(values, values, values, (shared, a, b) => {
        const order = compareLists([...shared, ...a], [...shared, ...b]);
        expect(Math.sign(compareBytes(encodeKeyValues([...shared, ...a]), encodeKeyValues([...shared, ...b])))).toBe(Math.sign(order));
      }),
      { numRuns: 2000 },
    );
  });

  test("the key of a list is that of its parts, one after the other", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(concatBytes(encodeKeyValues(a), encodeKeyValues(b))).toEqual(encodeKeyValues([...a, ...b]));
      }),
    );
  });

  test("no encoding begins another", () => {
    fc.assert(
      fc.property(closeValue, closeValue, (a, b) => {
        const [keyOfA, keyOfB] = [encodeKeyValues([a]), encodeKeyValues([b])];
        const begins = compareBytes(keyOfB.subarray(0, keyOfA.length), keyOfA) === 0;
        expect(begins).toBe(compareValues(a, b) === 0);
      }),
      { numRuns: 2000 },
    );
  });

  test("decoding gives the values back", () => {
    fc.assert(
      fc.property(values, (list) => {
        const decoded = decodeKeyValues(encodeKeyValues(list));
        expect(decoded).toHaveLength(list.length);
        expect(compareLists(decoded, list)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test("exact bytes, which stores keep", () => {
    const hex = (list: readonly (Value | undefined)[]): string => encodeKeyValues(list).toHex();
    expect(hex([undefined, null, false, true])).toBe("01030e0f");
    expect(hex([0n, 1n, -1n, -256n, 256n, -257n, 65_536n])).toBe("080901" + "07ff" + "0700" + "0a0100" + "06feff" + "0b00010000");
    expect(hex([2n ** 63n - 1n, -(2n ** 63n)])).toBe("0c7fffffffffffffff" + "048000000000000000");
    expect(hex([1, -1, 0, -0])).toBe("0dbff0000000000000" + "0d400fffffffffffff" + "0d8000000000000000" + "0d7fffffffffffffff");
    expect(hex([Number.NaN])).toBe("0dfff8000000000000");
    expect(hex(["a\0é"])).toBe("10610101" + "c3a900");
    expect(hex([new Uint8Array([0, 1, 2, 255]).buffer])).toBe("1101010102" + "02ff00");
    expect(
      hex([
        ["a", null],
        objectOf([
          ["b", 1n],
          ["a", true],
        ]),
      ]),
    ).toBe("1210610003" + "00" + "151061000f1062000901" + "00");
  });

  test("large keys work, and too large ones are refused", () => {
    const long = "x".repeat(1_000_000);
    expect(decodeKeyValues(encodeKeyValues([long, long]))).toEqual([long, long]);
    const zeros = new ArrayBuffer(1_000_000);
    expect(encodeKeyValues([zeros])).toHaveLength(2_000_002);
    for (const list of [Array<Value>(5).fill(long), [new ArrayBuffer(3_000_000)], ["x".repeat(5_000_000)]]) {
      expect(() => encodeKeyValues(list)).toThrow("Bytes of an index key");
    }
    expect(encodeKeyValues([true]).toHex()).toBe("0f");
  });

  test("half of a surrogate pair is refused, and the next key is right", () => {
    for (const bad of ["\ud800", "\udc00", "a\ud800b", "\udc00\ud800"]) expect(() => encodeKeyValues([bad])).toThrow("surrogate");
    expect(encodeKeyValues([null]).toHex()).toBe("03");
  });
});

describe("decodeKeyValues", () => {
  test("any bytes give values with that very key, or a registered error", () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.constantFrom(0, 1, 2, 3, 4, 8, 9, 13, 16, 17, 18, 21, 0xff, 0x61), { maxLength: 12 }),
    );
    fc.assert(
      fc.property(hostile, (array) => {
        const key = Uint8Array.from(array);
        try {
          expect(encodeKeyValues(decodeKeyValues(key))).toEqual(key);
        } catch (error) {
          if (!(error instanceof PlinthError)) throw error;
          expect(error.code).toBe("InvalidArgument");
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("nesting without end is refused", () => {
    expect(() => decodeKeyValues(new Uint8Array(100_000).fill(0x12))).toThrow("damaged");
  });

  test("a key within a larger buffer is read where it lies", () => {
    const key = encodeKeyValues(["abc", 5n, 1.5]);
    const large = new Uint8Array(key.length + 10).fill(0xff);
    large.set(key, 7);
    expect(decodeKeyValues(large.subarray(7, 7 + key.length))).toEqual(["abc", 5n, 1.5]);
  });
});

describe("bytes", () => {
  test("prefixEnd is the least key above all with the prefix", () => {
    const edges = fc.array(fc.constantFrom(0, 1, 0xfe, 0xff), { maxLength: 4 }).map((array) => Uint8Array.from(array));
    fc.assert(
      fc.property(edges, edges, (prefix, key) => {
        const end = prefixEnd(prefix);
        const begins = compareBytes(key.subarray(0, prefix.length), prefix) === 0 && key.length >= prefix.length;
        const inside = compareBytes(prefix, key) <= 0 && (end === null || compareBytes(key, end) < 0);
        expect(inside).toBe(begins);
      }),
      { numRuns: 2000 },
    );
  });

  test("keyAfter is the next key", () => {
    fc.assert(
      fc.property(bytes, bytes, (key, other) => {
        expect(compareBytes(key, keyAfter(key))).toBeLessThan(0);
        expect(compareBytes(other, key) <= 0).toBe(compareBytes(other, keyAfter(key)) < 0);
      }),
    );
  });
});

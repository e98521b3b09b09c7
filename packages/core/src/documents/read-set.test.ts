import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes, keyAfter } from "./keys.ts";
import { firstConflict, ReadSet, type KeyRange } from "./read-set.ts";

const key = fc.array(fc.constantFrom(0, 1, 2, 255), { maxLength: 3 }).map((array) => Uint8Array.from(array));
const read = fc.oneof(
  key.map((at) => ({ start: at, end: keyAfter(at), point: true })),
  fc.tuple(key, key).map(([start, end]) => ({ start, end, point: false })),
);

function readSetOf(reads: readonly { start: Uint8Array; end: Uint8Array; point: boolean }[]): ReadSet {
  const set = new ReadSet();
  for (const { start, end, point } of reads) {
    if (point) set.addPoint(start);
    else set.addRange(start, end);
  }
  return set;
}

const within = (range: KeyRange, at: Uint8Array): boolean => compareBytes(range.start, at) <= 0 && compareBytes(at, range.end) < 0;

describe("ReadSet", () => {
  test("its ranges are exactly what was added, sorted and apart", () => {
    fc.assert(
      fc.property(fc.array(read, { maxLength: 8 }), fc.array(read, { maxLength: 8 }), key, (first, second, at) => {
        const set = readSetOf(first);
        set.ranges();
        for (const { start, end, point } of second) {
          if (point) set.addPoint(start);
          else set.addRange(start, end);
        }
        const ranges = set.ranges();
        expect(ranges.some((range) => within(range, at))).toBe([...first, ...second].some((range) => within(range, at)));
        for (const [i, range] of ranges.entries()) {
          expect(compareBytes(range.start, range.end)).toBeLessThan(0);
          const next = ranges[i + 1];
          if (next !== undefined) expect(compareBytes(range.end, next.start)).toBeLessThan(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("counts what was added", () => {
    const set = new ReadSet();
    set.addPoint(new Uint8Array(3));
    set.addRange(new Uint8Array([1]), new Uint8Array([2]));
    set.addRange(new Uint8Array([2]), new Uint8Array([1]));
    expect([set.count, set.bytes]).toEqual([2, 3 + 4 + 2]);
  });

  test("touching and equal ranges become one", () => {
    const set = new ReadSet();
    for (const byte of [3, 1, 2, 1, 3]) set.addRange(new Uint8Array([byte]), new Uint8Array([byte + 1]));
    expect(set.ranges()).toEqual([{ start: new Uint8Array([1]), end: new Uint8Array([4]) }]);
  });
});

describe("firstConflict", () => {
  test("it is what looking at every pair finds", () => {
    const written = fc.array(key, { maxLength: 12 }).map((keys) => keys.sort(compareBytes));
    fc.assert(
      fc.property(fc.array(read, { maxLength: 12 }), written, (reads, keys) => {
        const naive = keys.find((at) => reads.some((range) => within(range, at))) ?? null;
        expect(firstConflict(readSetOf(reads).ranges(), keys)).toEqual(naive);
      }),
      { numRuns: 5000 },
    );
  });

  test("nothing read or nothing written is no conflict", () => {
    expect(firstConflict([], [])).toBe(null);
    expect(firstConflict([], [new Uint8Array(1)])).toBe(null);
    expect(firstConflict([{ start: new Uint8Array(), end: new Uint8Array([255]) }], [])).toBe(null);
  });

  test("ten thousand points against as many keys take little time", () => {
    const keyOf = (number: number): Uint8Array =>
      Uint8Array.from({ length: 40 }, (_, i) => (i < 30 ? 7 : (number >> ((i - 36) * 8)) & 255));
    const set = new ReadSet();
    for (let i = 0; i < 10_000; i += 1) set.addPoint(keyOf(((i * 7919) % 20_000) | 1));
    const keys = Array.from({ length: 10_000 }, (_, i) => keyOf(2 * i)).sort(compareBytes);
    set.ranges();
    const startCpu = process.cpuUsage();
    for (let i = 0; i < 10; i += 1) expect(firstConflict(set.ranges(), keys)).toBe(null);
    // About 2 ms each; looking at every pair would take seconds.
    expect(process.cpuUsage(startCpu).user / 1000).toBeLessThan(3000);
  });
});

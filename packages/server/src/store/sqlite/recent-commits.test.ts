import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import { apart, RecentCommits } from "./recent-commits.ts";

const key = fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 3 }).map((list) => Uint8Array.from(list));
const writes = fc
  .uniqueArray(key, { maxLength: 6, selector: (k) => Buffer.from(k).toString("hex") })
  .map((keys) => keys.toSorted(compareBytes).map((k) => ({ key: k, value: null })));
const range = fc.record({ start: key, end: key });
const within = ({ start, end }: { start: Uint8Array; end: Uint8Array }, k: Uint8Array): boolean =>
  compareBytes(start, k) <= 0 && compareBytes(k, end) < 0;

describe("against the list of all commits", () => {
  test("R1 conflicts and changed keys are those of every commit above the floor", () => {
    const property = fc.property(
      fc.array(writes, { maxLength: 12 }),
      fc.array(range, { maxLength: 5 }),
      fc.nat(12),
      range,
      (commits, ranges, at, one) => {
        const recent = new RecentCommits({ floor: 0, bytesMax: Infinity });
        commits.forEach((written, i) => recent.add(i + 1, written));
        const hit = (written: { key: Uint8Array }[]): boolean => written.some((w) => ranges.some((r) => within(r, w.key)));
        const first = commits.findIndex((written, i) => i + 1 > at && hit(written));
        expect(recent.firstConflict(at, apart(ranges))?.ts).toBe(first < 0 ? undefined : first + 1);
        const until = Math.min(at + 4, commits.length);
        const changed = commits
          .slice(at, until)
          .flatMap((written) => written.map((w) => w.key))
          .filter((k) => within(one, k));
        const names = [...new Set(changed.map((k) => Buffer.from(k).toString("hex")))].toSorted();
        expect(recent.keysWritten(at, until, one).map((k) => Buffer.from(k).toString("hex"))).toEqual(names);
        expect(recent.countBetween(Math.min(at, until), until)).toBe(until - Math.min(at, until));
        const isWritten = commits.slice(at, until).some((written) => written.some((w) => Buffer.compare(w.key, one.start) === 0));
        expect(recent.isUnchanged(one.start, Math.min(at, until), until)).toBe(!isWritten);
      },
    );
    fc.assert(property);
  });
});

describe("memory", () => {
  const write = (name: string): { key: Uint8Array; value: null }[] => [{ key: Buffer.from(name), value: null }];

  test("R1 the oldest durable commits are forgotten and the floor tells how far", () => {
    const recent = new RecentCommits({ floor: 0, bytesMax: 10_000 });
    for (let ts = 1; ts <= 5000; ts++) {
      recent.add(ts, write(`k${ts}`));
      recent.forget(ts);
    }
    expect(recent.bytes).toBeLessThanOrEqual(10_000);
    expect(recent.floor).toBeGreaterThan(4900);
    expect(recent.countBetween(recent.floor - 1, 5000)).toBeUndefined();
    expect(recent.countBetween(recent.floor, 5000)).toBe(5000 - recent.floor);
    expect(() => recent.firstConflict(recent.floor - 1, [])).toThrow();
  });

  test("R1 what is not durable stays, whatever it takes", () => {
    const recent = new RecentCommits({ floor: 0, bytesMax: 0 });
    for (let ts = 1; ts <= 10; ts++) recent.add(ts, write(`k${ts}`));
    recent.forget(4);
    expect(recent.floor).toBe(4);
    expect(recent.countBetween(4, 10)).toBe(6);
  });

  test("R1 a commit that was not written leaves", () => {
    const recent = new RecentCommits({ floor: 0, bytesMax: Infinity });
    recent.add(1, write("a"));
    recent.add(2, write("a"));
    recent.remove(2);
    recent.remove(3);
    const range = { start: Buffer.from("a"), end: Buffer.from("b") };
    expect(recent.firstConflict(0, [range])?.ts).toBe(1);
    expect(recent.firstConflict(1, [range])).toBeUndefined();
  });

  test("R2 keys do not change with the caller's buffer", () => {
    const recent = new RecentCommits({ floor: 0, bytesMax: Infinity });
    const key = Buffer.from("a");
    recent.add(1, [{ key, value: null }]);
    key.fill(0);
    expect(recent.firstConflict(0, [{ start: Buffer.from("a"), end: Buffer.from("b") }])?.ts).toBe(1);
  });
});

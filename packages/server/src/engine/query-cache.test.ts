import fc from "fast-check";
import { expect, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Commit, KeyRange } from "../store/store.ts";
import { QueryCache, type CachedResult, type QueryKey } from "./query-cache.ts";
import { RangeIndex } from "../database/range-index.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const key = (name: string, identity = ""): QueryKey => ({ base: name, identity });
const result = (valueText: string): CachedResult => ({ valueText, logs: [], logsDropped: 0 });
const commit = (ts: number, ...keys: string[]): Commit => ({ ts, writes: keys.map((each) => ({ key: bytes(each), value: bytes("v") })) });
const range = (start: string, end: string): KeyRange => ({ start: bytes(start), end: bytes(end) });
const observed = (ts: number, reads: readonly KeyRange[], changes: { identityRead?: boolean; timeRead?: boolean } = {}) => ({
  ts,
  reads,
  identityRead: false,
  timeRead: false,
  ...changes,
});

function newCache(options: { bytesMax?: number; nowMs?: () => number } = {}): QueryCache {
  const runtime = createSystemRuntime();
  return new QueryCache({ bytesMax: options.bytesMax ?? 1e6, runtime: { ...runtime, monotonicMs: options.nowMs ?? (() => 0) }, seen: 10 });
}

const anyKey = fc.string({ unit: fc.constantFrom("a", "b", "\u0000", "\u00ff"), maxLength: 6 });
const anyRange = fc
  .tuple(anyKey, anyKey)
  .map(([a, b]) => (a <= b ? { start: bytes(a), end: bytes(`${b}\u0000`) } : { start: bytes(b), end: bytes(`${a}\u0000`) }));

test("the range index finds exactly the owners whose ranges hold a key, also after some were deleted", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(anyRange, { maxLength: 3 }), { maxLength: 12 }),
      fc.array(fc.nat(11)),
      fc.array(anyKey, { minLength: 1 }),
      (owners, deleted, keys) => {
        const index = new RangeIndex<number>();
        owners.forEach((ranges, owner) => index.add(owner, ranges));
        for (const owner of deleted) index.delete(owner);
        for (const each of keys) {
          const holds = ({ start, end }: KeyRange): boolean =>
            Buffer.compare(start, bytes(each)) <= 0 && Buffer.compare(bytes(each), end) < 0;
          const wanted = owners.flatMap((ranges, owner) => (!deleted.includes(owner) && ranges.some(holds) ? [owner] : []));
          expect([...index.ownersOf(bytes(each))].sort((a, b) => a - b)).toEqual(wanted);
        }
      },
    ),
  );
});

test("Q1 a commit into what a result read ends it, another one does not", () => {
  const cache = newCache();
  cache.put(key("q"), result("1"), observed(10, [range("a", "b"), range("x", "y")]));
  cache.committed(commit(11, "c", "w"));
  expect(cache.get(key("q"), 11)).toEqual(result("1"));
  cache.committed(commit(12, "xx"));
  expect(cache.get(key("q"), 12)).toBeUndefined();
  expect(cache.status()).toEqual({ entries: 0, bytes: 0 });
});

test("Q1 a result is not kept when a commit after its snapshot wrote into what it read", () => {
  const cache = newCache();
  cache.begin(key("old"));
  cache.begin(key("new"));
  cache.committed(commit(11, "a1"));
  cache.committed(commit(12, "z"));
  cache.put(key("old"), result("1"), observed(10, [range("a", "b")]));
  cache.put(key("new"), result("1"), observed(11, [range("a", "b")]));
  expect(cache.get(key("old"), 12)).toBeUndefined();
  expect(cache.get(key("new"), 12)).toEqual(result("1"));
});

test("Q1 a result whose snapshot is older than the remembered commits is not kept", () => {
  const cache = newCache();
  cache.begin(key("old"));
  for (let ts = 11; ts < 3000; ts++) cache.committed(commit(ts, "z"));
  cache.put(key("old"), result("1"), observed(11, [range("a", "b")]));
  expect(cache.get(key("old"), 2999)).toBeUndefined();
});

test("Q1 commits are remembered only while a query runs; one that began before is not kept", () => {
  const cache = newCache();
  cache.begin(key("other"))();
  cache.committed(commit(11, "a1"));
  cache.put(key("old"), result("1"), observed(10, [range("a", "b")]));
  cache.put(key("unrelated"), result("1"), observed(10, [range("x", "y")]));
  cache.put(key("new"), result("1"), observed(11, [range("a", "b")]));
  expect(cache.get(key("old"), 11)).toBeUndefined();
  expect(cache.get(key("unrelated"), 11)).toBeUndefined();
  expect(cache.get(key("new"), 11)).toEqual(result("1"));
});

test("Q1 nothing is given out while the store is ahead of the commits that were seen", () => {
  const cache = newCache();
  cache.put(key("q"), result("1"), observed(10, [range("a", "b")]));
  expect(cache.get(key("q"), 11)).toBeUndefined();
  cache.committed(commit(11, "z"));
  expect(cache.get(key("q"), 11)).toEqual(result("1"));
});

test("Q2 identity and time limit who gets a result, and how long", () => {
  let nowMs = 0;
  const cache = newCache({ nowMs: () => nowMs });
  cache.put(key("me", "ann"), result("ann"), observed(10, [], { identityRead: true }));
  expect(cache.get(key("me", "ann"), 10)).toEqual(result("ann"));
  expect(cache.get(key("me", "bob"), 10)).toBeUndefined();
  cache.put(key("shared", "ann"), result("all"), observed(10, []));
  expect(cache.get(key("shared", "bob"), 10)).toEqual(result("all"));
  cache.put(key("time"), result("now"), observed(10, [], { timeRead: true }));
  nowMs = 16_999;
  expect(cache.get(key("time"), 10)).toEqual(result("now"));
  nowMs = 17_000;
  expect(cache.get(key("time"), 10)).toBeUndefined();
  expect(cache.get(key("shared"), 10)).toEqual(result("all"));
});

test("Q4 the memory is bounded and the least recently used go first", () => {
  const cache = newCache({ bytesMax: 10_000 });
  for (let at = 0; at < 100; at++) {
    cache.put(key(`q${at}`), result("x".repeat(100)), observed(10, [range("a", "b")]));
    cache.get(key("q0"), 10);
  }
  expect(cache.status().bytes).toBeLessThanOrEqual(10_000);
  expect(cache.get(key("q0"), 10)).toBeDefined();
  expect(cache.get(key("q99"), 10)).toBeDefined();
  expect(cache.get(key("q1"), 10)).toBeUndefined();
  cache.put(key("huge"), result("x".repeat(50_000)), observed(10, []));
  expect(cache.get(key("huge"), 10)).toBeUndefined();
});

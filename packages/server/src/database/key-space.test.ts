import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { KeyRange } from "../store/store.ts";
import { bucketLength, keyMeaning, KeySpace } from "./key-space.ts";

/** Names that are close to each other: prefixes, separators and escapes among them. */
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", "\0", "\u0001", "\u0002", "\uffff", "é", "/") }),
  fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
);
const scope = fc.record({ tenant: name, branch: name });
const bytes = fc.uint8Array({ maxLength: 6 });
const internalId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const u32 = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffff_ffff }), fc.constant(0xffff_ffff));

/** A key with the name of the kind of place that it is of, and the range of that place. */
const place = fc.oneof(
  fc
    .constantFrom("catalogueVersion" as const, "catalogueBody" as const)
    .map((kind) => ({ kind, make: (keys: KeySpace) => ({ key: keys[kind], range: undefined as KeyRange | undefined }) })),
  internalId.map((id) => ({ kind: "failure", make: (keys: KeySpace) => ({ key: keys.schemaFailure(id), range: keys.schemaFailures() }) })),
  u32.map((index) => ({ kind: "dropped", make: (keys: KeySpace) => ({ key: keys.droppedIndex(index), range: keys.droppedIndexes() }) })),
  fc.tuple(u32, internalId).map(([table, id]) => ({
    kind: `documents ${table}`,
    make: (keys: KeySpace) => ({ key: keys.document(table, id), range: keys.documents(table) }),
  })),
  fc.tuple(u32, bytes).map(([index, encoded]) => ({
    kind: `index ${index}`,
    make: (keys: KeySpace) => ({ key: keys.indexKey(index, encoded), range: keys.index(index) }),
  })),
  fc.tuple(fc.integer({ min: 0, max: 0xffff }), bytes).map(([space, encoded]) => ({
    kind: `records ${space}`,
    make: (keys: KeySpace) => ({ key: keys.record(space, encoded), range: undefined }),
  })),
);

function holds(range: KeyRange, key: Uint8Array): boolean {
  return compareBytes(range.start, key) <= 0 && compareBytes(key, range.end) < 0;
}

describe("key space", () => {
  it("keeps scopes apart: a key lies in the range of its own scope alone", () => {
    fc.assert(
      fc.property(scope, scope, place, (a, b, one) => {
        const [keysOfA, keysOfB] = [new KeySpace(a), new KeySpace(b)];
        const same = a.tenant === b.tenant && a.branch === b.branch;
        const { key } = one.make(keysOfA);
        expect(holds(keysOfA.all(), key)).toBe(true);
        expect(holds(keysOfB.all(), key)).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps tenants apart whose names begin alike", () => {
    const tenants = ["a", "ab", "a\0", "a\0b", "a\u0001", "a\u0001b", "aa", "b"];
    for (const one of tenants) {
      for (const other of tenants) {
        const key = new KeySpace({ tenant: one, branch: "main" }).document(10_001, new Uint8Array(16).fill(0xff));
        expect(holds(new KeySpace({ tenant: other, branch: "main" }).all(), key), JSON.stringify([one, other])).toBe(one === other);
      }
    }
  });

  it("keeps tables, indexes, records and the catalogue of a scope apart", () => {
    fc.assert(
      fc.property(scope, place, place, (where, one, other) => {
        const keys = new KeySpace(where);
        const { key } = one.make(keys);
        const { range, key: otherKey } = other.make(keys);
        if (range !== undefined) expect(holds(range, key)).toBe(one.kind === other.kind);
        if (one.kind !== other.kind) expect(compareBytes(key, otherKey)).not.toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("finds the place of a key again", () => {
    const keys = new KeySpace({ tenant: "a\0b", branch: "\u0001" });
    const id = new Uint8Array(16).fill(7);
    expect(keyMeaning(keys.document(10_001, id))).toEqual({ kind: "document", table: 10_001 });
    expect(keyMeaning(keys.indexKey(0xffff_ffff, id))).toEqual({ kind: "index", index: 0xffff_ffff });
    expect(keyMeaning(keys.record(61, id))).toEqual({ kind: "record", space: 61 });
    expect(keyMeaning(keys.catalogueBody)).toEqual({ kind: "catalogue" });
    expect(keys.droppedIndexOf(keys.droppedIndex(123_456))).toBe(123_456);
    expect([...keys.withinTable(keys.document(10_001, id))]).toEqual([...id]);
    expect(bucketLength(keys.documents(10_001).start)).toBe(bucketLength(keys.document(10_001, id)));
  });

  it("refuses names that have no one encoding", () => {
    expect(() => new KeySpace({ tenant: "", branch: "main" })).toThrow("well-formed");
    expect(() => new KeySpace({ tenant: "a", branch: "\ud800" })).toThrow("well-formed");
  });
});

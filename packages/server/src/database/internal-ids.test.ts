import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeDocumentId } from "@plinth/core/documents/ids.ts";
import { compareBytes, encodeKeyValues } from "@plinth/core/documents/keys.ts";
import type { Value } from "@plinth/core/documents/values.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { firstInternalIdFrom, InternalIds } from "./internal-ids.ts";

const table = fc.constantFrom(10_001, 10_002, 9001, 20_000);
const internalId = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe("internal ids", () => {
  it("are never given twice and are ordered by time", () => {
    const ids = new InternalIds(createSystemRuntime());
    const made = Array.from({ length: 20_000 }, (_, i) => Buffer.from(ids.next(1_700_000_000_000 + i)).toString("hex"));
    expect(new Set(made.map((id) => id.slice(12))).size).toBe(made.length);
    expect(made.toSorted()).toEqual(made);
  });

  it("a bound on the text of ids becomes the bound on internal ids that selects the same documents", () => {
    const bound = fc.oneof(
      fc
        .record({ table, internalId })
        .map(({ table: tableNumber, internalId: id }): Value => encodeDocumentId({ tableNumber, internalId: id })),
      fc.constantFrom<Value>("", "j57", "zzzz", "k", null, 1, 5n, true, "J57", new ArrayBuffer(2), []),
      fc.string({ maxLength: 34 }),
    );
    fc.assert(
      fc.property(table, fc.array(internalId, { minLength: 1, maxLength: 20 }), bound, fc.boolean(), (tableNumber, ids, value, behind) => {
        const encoded = encodeKeyValues([value]);
        const key = behind ? Uint8Array.from([...encoded, 0]) : encoded;
        const first = firstInternalIdFrom(tableNumber, key);
        for (const id of ids) {
          const selected = compareBytes(encodeKeyValues([encodeDocumentId({ tableNumber, internalId: id })]), key) >= 0;
          expect(first !== null && compareBytes(id, first) >= 0).toBe(selected);
        }
      }),
      { numRuns: 500 },
    );
  });
});

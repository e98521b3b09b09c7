import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeySpace } from "./key-space.ts";
import { Overlay } from "./overlay.ts";

const keys = new KeySpace({ tenant: "t", branch: "b" });

/** Keys of two tables, so that there are several buckets. */
const place = fc.record({ table: fc.constantFrom(1, 2), id: fc.integer({ min: 0, max: 40 }) });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("put" as const), place, value: fc.option(fc.integer({ min: 0, max: 255 }), { nil: null }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("start" as const, "keep" as const, "undo" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      table: fc.constantFrom(1, 2),
      from: fc.integer({ min: 0, max: 40 }),
      to: fc.integer({ min: 0, max: 41 }),
      order: fc.constantFrom("asc" as const, "desc" as const),
    }),
  },
);

describe("overlay", () => {
  it("D4 reads, orders and undoes like a sorted map with copies for layers", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const overlay = new Overlay();
        let model = new Map<string, number | null>();
        const saved: Map<string, number | null>[] = [];
        for (const one of steps) {
          if (one.kind === "put") {
            overlay.put(keyOf(one.place), one.value === null ? null : Uint8Array.of(one.value));
            model.set(nameOf(one.place), one.value);
            expect(overlay.get(keyOf(one.place))?.value?.[0] ?? null).toBe(one.value);
          } else if (one.kind === "start") {
            overlay.startLayer();
            saved.push(new Map(model));
          } else if (one.kind === "read") {
            const range = { start: keyOf({ table: one.table, id: one.from }), end: keyOf({ table: one.table, id: one.to }) };
            const found = [...overlay.range(range, one.order)].map(({ key, value }) => [key.at(-1), value?.[0] ?? null]);
            const expected = [...model]
              .filter(([name]) => name.startsWith(`${one.table}:`))
              .map(([name, value]) => [Number(name.slice(2)), value] as const);
            expected.sort((a, b) => (one.order === "asc" ? a[0] - b[0] : b[0] - a[0]));
            expect(found).toEqual(expected.filter(([id]) => id >= one.from && id < one.to).map((pair) => [...pair]));
          } else if (saved.length > 0) {
            const before = saved.pop();
            if (one.kind === "keep") overlay.keepLayer();
            else {
              overlay.undoLayer();
              model = before ?? model;
            }
          }
        }
        expect(overlay.size).toBe(model.size);
      }),
      { numRuns: 500 },
    );
  });

  it("stays quick when ranges are read between many writes", () => {
    const overlay = new Overlay();
    const startCpu = process.cpuUsage();
    for (let i = 0; i < 16_000; i++) {
      const id = new Uint8Array(16);
      new DataView(id.buffer).setUint32(12, (i * 7919) % 16_384);
      overlay.put(keys.document(1, id), Uint8Array.of(1));
      if (i % 4 === 0) overlay.range(keys.documents(1), "asc").next();
    }
    expect(process.cpuUsage(startCpu).user / 1000).toBeLessThan(6000);
  });
});

function keyOf({ table, id }: { table: number; id: number }): Uint8Array {
  const internalId = new Uint8Array(16);
  internalId[15] = id;
  return keys.document(table, internalId);
}

function nameOf({ table, id }: { table: number; id: number }): string {
  return `${table}:${id}`;
}

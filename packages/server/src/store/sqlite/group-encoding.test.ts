import fc from "fast-check";
import { expect, test } from "vitest";
import { batchBytes, decodeGroup, decodeKeys, encodeGroup } from "./group-encoding.ts";

const blob = fc.uint8Array({ maxLength: 40 });
const batch = fc.record({
  ts: fc.nat(Number.MAX_SAFE_INTEGER),
  writes: fc.array(fc.record({ key: blob, value: fc.option(blob) }), { maxLength: 8 }),
});

test("a group reads back as it was written, and the keys alone too", () => {
  const property = fc.property(fc.array(batch, { maxLength: 6 }), (batches) => {
    const bytes = batches.reduce((sum, { writes }) => sum + batchBytes(writes), 0);
    const decoded = decodeGroup(encodeGroup(batches, bytes));
    expect(decoded.map(({ ts, writes }) => ({ ts, writes }))).toEqual(batches);
    const keys = decoded.map((one) => decodeKeys(one.keys));
    expect(keys).toEqual(batches.map(({ writes }) => writes.map(({ key, value }) => ({ key, deleted: value === null }))));
  });
  fc.assert(property);
});

test("the form of the keys of a commit is fixed: it lies in every log", () => {
  const writes = [
    { key: Uint8Array.of(1, 2), value: Uint8Array.of(9) },
    { key: Uint8Array.of(3), value: null },
  ];
  const [decoded] = decodeGroup(encodeGroup([{ ts: 1, writes }], batchBytes(writes)));
  expect(decoded?.keys).toEqual(Uint8Array.of(4, 0, 0, 0, 1, 2, 3, 0, 0, 0, 3));
});

test("damaged keys are noticed", () => {
  expect(() => decodeKeys(Uint8Array.of(4, 0, 0, 0, 1))).toThrow();
});

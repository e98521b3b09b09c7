import { expect, it } from "vitest";
import { changedIndexes } from "./changed-indexes.ts";

it("a few indexes are named, many are counted", () => {
  const many = Array.from({ length: 77 }, (_, index) => `works.by_${index}`);
  expect(changedIndexes({ indexesAdded: ["works.by_don"], indexesRemoved: many })).toEqual([
    "index added: works.by_don",
    "77 indexes removed",
  ]);
  expect(changedIndexes({ indexesAdded: [], indexesRemoved: [] })).toEqual([]);
});

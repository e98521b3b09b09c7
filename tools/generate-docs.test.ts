import { expect, test } from "vitest";
import { drifted } from "./generate-docs.ts";

test("the reference pages say what the code says", () => {
  expect(drifted()).toEqual([]);
});

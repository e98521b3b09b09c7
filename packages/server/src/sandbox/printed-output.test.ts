import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { PrintedOutput } from "./printed-output.ts";

test("the beginning is kept, and what comes behind it makes its reader rest, by bytes and by pieces", () => {
  const max = limit("runnerOutputBytesMax");
  const output = new PrintedOutput();
  expect(output.add("a".repeat(max - 1))).toBe(false);
  expect(output.add("bc")).toBe(false);
  expect(output.text).toHaveLength(max);
  expect(output.text.at(-1)).toBe("b");
  expect([output.add("x".repeat(max)), output.add("x")]).toEqual([true, false]);
  let rests = 0;
  for (let piece = 0; piece < 1000; piece++) if (output.add("x")) rests++;
  expect(rests).toBeGreaterThanOrEqual(3);
  expect(output.text).toHaveLength(max);
});

import { expect, test } from "vitest";
import { failureOf } from "./outcome-errors.ts";

const usage = { wallMs: 1, userMs: 1, memoryBytes: 0, hostCalls: 0 };
const dataOf = (dataText: string) => failureOf({ kind: "error", message: "Error: x", dataText, usage }, undefined).error.dataText;

test("the data of an error passes when it is a value", () => {
  for (const text of ["null", '"text"', '{"why":{"$integer":"BQAAAAAAAAA="}}', "[1,2]"]) expect(dataOf(text)).toBe(text);
});

test.each([
  ["other fields of the answer", '1},"status":"success","value":{"forged":true'],
  ["no JSON", "not json"],
  ["nothing", ""],
  ["a tag that holds no value", '{"$integer":"AA"}'],
  ["nesting without end", "[".repeat(100_000)],
  ["half a character", '"\\ud800"'],
])("H07: %s in its place does not", (_, text) => {
  expect(dataOf(text)).toBeUndefined();
});

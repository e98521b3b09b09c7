import { expect, test } from "vitest";
import { declarationErrors } from "./declaration-errors.ts";
import { OUTPUT_CHARS_KEPT } from "./run-tool.ts";

const dependency = "node_modules/a/index.d.cts(2,3): error TS1005: ';' expected.\n";
const own = "src/index.ts(1,1): error TS2304: Cannot find name 'x'.\n";

test("errors in the types of dependencies are counted, and explanations belong to them", () => {
  expect(declarationErrors("rimraf ./dist && tsc", `${dependency}  because of this\n${dependency}`)).toBe(2);
  expect(declarationErrors("npx tsc -p .", dependency)).toBe(1);
  expect(declarationErrors("tsc", `npm warn something\n../node_modules/@b/c/types.d.ts(1,1): error TS1: x`)).toBe(1);
});

test("an error of the package's own, other output, and a compiler that did not write count as a failed build", () => {
  expect(declarationErrors("tsc", dependency + own)).toBe(0);
  expect(declarationErrors("tsc", `${dependency}error TS18003: No inputs were found.`)).toBe(0);
  expect(declarationErrors("tsc && node after.js", dependency)).toBe(0);
  expect(declarationErrors("tsc --noEmitOnError", dependency)).toBe(0);
  expect(declarationErrors("webpack", dependency)).toBe(0);
  expect(declarationErrors("tsc", "")).toBe(0);
  expect(declarationErrors("tsc", dependency.repeat(OUTPUT_CHARS_KEPT / 50))).toBe(0);
  expect(declarationErrors("tsc", "node_modules/a/own.ts(1,1): error TS1: x")).toBe(0);
});

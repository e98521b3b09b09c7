import { expect, test } from "vitest";
import { hasUserFrames, StackMapper, userFrames } from "./stack-mapper.ts";

const MAP = JSON.stringify({
  version: 3,
  names: [],
  sources: ["../convex/a.ts", "../node_modules/convex/src/x.ts"],
  mappings: "AAAA,UACA,UCAA",
});

test("only frames of the user's script are kept, at their place in the sources", () => {
  const stack = [
    "Error: x\n    at fake (plinth:version:1:1) and more",
    "    at first (plinth:version:1:1)",
    "    at async Object.handler [as invoke] (plinth:version:1:11)",
    "    at plinth:version:1:12",
    "    at hidden (plinth:version:1:21)",
    "    at enter (plinth:guest:1:5)",
    "    at (<isolated-vm boundary>)",
    "    at run (/app/runner.js:1:1)",
  ].join("\n");
  expect(hasUserFrames(stack)).toBe(true);
  expect(userFrames(stack, StackMapper.parse(MAP))).toBe(
    "    at first (../convex/a.ts:1:1)\n    at async Object.handler [as invoke] (../convex/a.ts:2:1)\n    at ../convex/a.ts:2:1",
  );
  expect(userFrames(stack, null)).toContain("    at hidden (version.js:1:21)");
});

test("a hostile stack or map costs little and breaks nothing", () => {
  expect(userFrames(`    at ${"(".repeat(60_000)}plinth:version:1:1`, null)).toBe("");
  expect(userFrames("    at f (plinth:version:999999999:0)", StackMapper.parse(MAP))).toBe("");
  expect(userFrames("    at f (plinth:version:1:1)\n".repeat(5000), null).split("\n").length).toBeLessThanOrEqual(30);
  expect(userFrames(`    at ${"n".repeat(900)} (plinth:version:1:1)`, null).length).toBeLessThan(300);
  for (const text of ["", "{", "null", "[]", "5", '{"version":3}']) expect(() => StackMapper.parse(text)?.place(1, 1)).not.toThrow();
});

test("frames of inline code have the author's line and column, and those of what calls it are not shown", () => {
  const stack =
    "Error: x\n    at f (plinth:script:5:9)\n    at async anonymous (plinth:script:3:1)\n    at run (plinth:version:7:1)\n    at x (plinth:script:1:1)";
  expect(hasUserFrames(stack)).toBe(true);
  expect(userFrames(stack, null)).toBe("    at f (script:3:9)\n    at async anonymous (script:1:1)");
});

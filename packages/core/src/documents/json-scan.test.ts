import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanJsonText } from "./json-scan.ts";

const utf8 = new TextEncoder();
const depthOf = (json: unknown): number =>
  typeof json !== "object" || json === null ? 0 : 1 + Math.max(0, ...Object.values(json).map(depthOf));

describe("scanJsonText", () => {
  test("finds the depth of any JSON, as text and as bytes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (json) => {
        const text = JSON.stringify(json);
        expect(scanJsonText(text, { depthMax: 100 })).toBe(depthOf(json));
        expect(scanJsonText(utf8.encode(text), { depthMax: 100 })).toBe(depthOf(json));
      }),
      { numRuns: 500 },
    );
  });

  test("brackets in strings do not count, whatever is escaped around them", () => {
    for (const json of [["[[["], ['"[[['], ["\\"], ["\\", "[{["], ['\\"[', '"\\'], { "{[": ['\\\\"'] }]) {
      const text = JSON.stringify(json);
      for (const source of [text, utf8.encode(text)]) expect(scanJsonText(source, { depthMax: 2 })).toBe(depthOf(json));
    }
  });

  test("deeper than allowed is refused", () => {
    for (const source of ["[[[]]]", utf8.encode('{"a":[{}]}')]) {
      expect(scanJsonText(source, { depthMax: 3 })).toBe(3);
      expect(() => scanJsonText(source, { depthMax: 2, what: "body" })).toThrow("The body is nested deeper than 2 levels.");
    }
  });

  test("text that is no JSON ends the scan and nothing else", () => {
    for (const text of ["", '"', '"\\', "]]]]", '{"a', '\\"[']) {
      for (const source of [text, utf8.encode(text)]) expect(scanJsonText(source, { depthMax: 5 })).toBeLessThanOrEqual(1);
    }
  });

  test("long runs of quotes and backslashes take linear time", () => {
    for (const text of [`"${"\\".repeat(4_000_000)}`, '\\"'.repeat(2_000_000), `"${'\\"'.repeat(2_000_000)}`, '""'.repeat(2_000_000)]) {
      scanJsonText(text, { depthMax: 5 });
      scanJsonText(utf8.encode(text), { depthMax: 5 });
    }
  });
});

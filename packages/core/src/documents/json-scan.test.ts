import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limit } from "../limits.ts";
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

  test("counts values, whatever is in strings", () => {
    const counted = (json: unknown): number =>
      typeof json !== "object" || json === null ? 0 : Object.values(json).reduce((sum: number, inner) => sum + 1 + counted(inner), 0);
    const empties = (json: unknown): number =>
      typeof json !== "object" || json === null
        ? 0
        : Object.values(json).length === 0
          ? 1
          : Object.values(json).reduce((sum: number, inner) => sum + empties(inner), 0);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (json) => {
        const text = JSON.stringify(json);
        // An opening bracket counts for the first value within; an empty array or object has none, and counts twice.
        const values = counted(json) + empties(json);
        for (const source of [text, utf8.encode(text)]) {
          expect(() => scanJsonText(source, { depthMax: 100, valuesMax: values })).not.toThrow();
          if (values > 0) expect(() => scanJsonText(source, { depthMax: 100, valuesMax: values - 1 })).toThrow("values");
        }
      }),
      { numRuns: 500 },
    );
  });

  test("more values than a host parses at once are refused, as is text that has more strings than JSON could", () => {
    const max = limit("jsonValuesMax");
    const array = (length: number): string => `[${"0,".repeat(length - 1)}0]`;
    for (const encode of [(text: string) => text, (text: string) => utf8.encode(text)]) {
      expect(scanJsonText(encode(array(max)), { depthMax: 5 })).toBe(1);
      expect(() => scanJsonText(encode(array(max + 1)), { depthMax: 5, what: "body" })).toThrow(`The body holds more than ${max} values.`);
      expect(() => scanJsonText(encode('""'.repeat(2 * max + 2)), { depthMax: 5 })).toThrow("values");
    }
  });

  test("text that is no JSON ends the scan and nothing else", () => {
    for (const text of ["", '"', '"\\', "]]]]", '{"a', '\\"[']) {
      for (const source of [text, utf8.encode(text)]) expect(scanJsonText(source, { depthMax: 5 })).toBeLessThanOrEqual(1);
    }
  });

  test("long runs of quotes and backslashes take linear time", () => {
    for (const text of [`"${"\\".repeat(4_000_000)}`, '\\"'.repeat(2_000_000), `"${'\\"'.repeat(2_000_000)}`, '""'.repeat(2_000_000)]) {
      for (const source of [text, utf8.encode(text)]) scanJsonText(source, { depthMax: 5, valuesMax: 4_000_000 });
    }
  });
});

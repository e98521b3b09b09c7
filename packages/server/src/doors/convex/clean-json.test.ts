import { convexToJson, type Value } from "convex/values";
import { describe, expect, it } from "vitest";
import { toCleanJsonText } from "./clean-json.ts";

describe("clean JSON", () => {
  it.each<[Value, unknown]>([
    [12n, "12"],
    [-9_223_372_036_854_775_808n, "-9223372036854775808"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [-0, "-0"],
    [new Uint8Array([1, 2, 3]).buffer, "AQID"],
    [{ a: [1, "x", null, { b: 1n }] }, { a: [1, "x", null, { b: "1" }] }],
    ['text with "$integer" in it', 'text with "$integer" in it'],
  ])("%o", (value, clean) => {
    expect(JSON.parse(toCleanJsonText(JSON.stringify(convexToJson(value))))).toEqual(clean);
  });
});

import { describe, expect, it } from "vitest";
import { toCleanJsonText } from "./clean-json.ts";

describe("the `json` format", () => {
  it("names what JSON lacks", () => {
    expect(toCleanJsonText('{"a":{"$integer":"AQAAAAAAAAA="},"b":[{"$float":"AAAAAAAA8H8="}],"c":{"$bytes":"AAE="}}')).toBe(
      '{"a":"1","b":["Infinity"],"c":"AAE="}',
    );
  });

  it("H07: takes any JSON that a runner calls a value", () => {
    for (const text of ['{"$integer":"AA=="}', '{"$float":""}', '{"$integer":7}', '{"$integer":"","b":1}', '{"$other":"x"}']) {
      expect(toCleanJsonText(text)).toBe(text);
    }
  });
});

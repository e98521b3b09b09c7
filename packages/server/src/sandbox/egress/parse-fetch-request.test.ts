import fc from "fast-check";
import { expect, test } from "vitest";
import { parseFetchRequest } from "./parse-fetch-request.ts";

const GOOD = { url: "http://a/", method: "GET", headers: [["a", "b"]], bodyBase64: null, redirect: "follow" };

test("reads a request and nothing besides its fields", () => {
  expect(parseFetchRequest(JSON.stringify({ ...GOOD, verifyTls: false }))).toEqual(GOOD);
});

test.each([
  "",
  "null",
  "[]",
  "1",
  "{",
  "{}",
  ...Object.keys(GOOD).flatMap((key) => [JSON.stringify({ ...GOOD, [key]: 1 }), JSON.stringify({ ...GOOD, [key]: undefined })]),
  JSON.stringify({ ...GOOD, headers: [["a"]] }),
  JSON.stringify({ ...GOOD, headers: [["a", 1]] }),
  JSON.stringify({ ...GOOD, headers: ["ab"] }),
  JSON.stringify({ ...GOOD, redirect: "other" }),
])("refuses %s", (text) => expect(() => parseFetchRequest(text)).toThrow("not well-formed"));

test("never fails in another way", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      expect(() => parseFetchRequest(text)).toThrow("not well-formed");
    }),
  );
});

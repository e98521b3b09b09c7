import fc from "fast-check";
import { expect, test } from "vitest";
import { functionHandle, normalizePath, pathOfAddress } from "./function-address.ts";

test("paths have one form", () => {
  expect(normalizePath("a/b:c")).toBe("a/b:c");
  expect(normalizePath("a/b.js:c")).toBe("a/b:c");
  expect(normalizePath("a/b")).toBe("a/b:default");
});

test("a handle names its path again, and nothing else is a handle", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }), (text) => {
      const path = normalizePath(text.replaceAll(":", "_"));
      expect(pathOfAddress({ functionHandle: functionHandle(path) })).toBe(path);
    }),
  );
  for (const path of [normalizePath("//"), normalizePath("a.js.js")])
    expect(pathOfAddress({ functionHandle: functionHandle(path) })).toBe(path);
  for (const forged of ["function://", "function://%%%", "counters:get", "function://YQ=="]) {
    expect(() => pathOfAddress({ functionHandle: forged })).toThrow("function handle");
  }
});

test("an address is exactly one of its three forms", () => {
  expect(pathOfAddress({ name: "a:b" })).toBe("a:b");
  expect(() => pathOfAddress({})).toThrow("exactly one");
  expect(() => pathOfAddress({ name: "a:b", functionHandle: functionHandle("a:b") })).toThrow("exactly one");
  expect(() => pathOfAddress({ name: 5 })).toThrow("exactly one");
  expect(() => pathOfAddress({ reference: "_reference/childComponent/x" })).toThrow("component");
});

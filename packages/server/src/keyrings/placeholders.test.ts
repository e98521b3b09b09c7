import fc from "fast-check";
import { expect, it } from "vitest";
import { fillHeader, fillText, fillUrl } from "./placeholders.ts";

const values = (given: Readonly<Record<string, string>>) => new Map(Object.entries(given));

it("B1 keeps any value in its place of a URL", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "grapheme" }), (part, parameter) => {
      fc.pre(!/^\.{1,2}$/.test(part));
      const url = fillUrl("https://api.example.com/v1/[part]/end?a=1&q=[parameter]#f", values({ part, parameter }));
      expect([url.host, url.username, url.hash]).toEqual(["api.example.com", "", "#f"]);
      const segments = url.pathname.split("/");
      expect(segments).toHaveLength(4);
      expect(decodeURIComponent(segments[2] ?? "")).toBe(part.toWellFormed());
      expect([...url.searchParams]).toEqual([
        ["a", "1"],
        ["q", parameter.toWellFormed()],
      ]);
    }),
  );
  for (const part of [".", ".."]) {
    expect(() => fillUrl("https://a.example/x/[part]/y", values({ part }))).toThrow("`.`");
    expect(fillUrl("https://a.example/v[part]?q=[part]", values({ part })).href).toBe(`https://a.example/v${part}?q=${part}`);
  }
  expect(() => fillUrl("https://a.example/x/.[part]/y", values({ part: "." }))).toThrow("`.`");
});

it("B1 takes only host names in a host", () => {
  expect(fillUrl("https://[SUBDOMAIN].example.com/", values({ SUBDOMAIN: "a-1.b" })).host).toBe("a-1.b.example.com");
  for (const SUBDOMAIN of ["a/", "a?", "a#", "a@b", "a:1", "a%2f", "a\\", ".a", "a.", "", " ", "ａ", "a\n"])
    expect(() => fillUrl("https://[SUBDOMAIN].example.com/", values({ SUBDOMAIN }))).toThrow("host name");
  for (const template of ["[SUBDOMAIN]", "javascript:[SUBDOMAIN]", "//[SUBDOMAIN]/", "file:///etc/passwd"])
    expect(() => fillUrl(template, values({ SUBDOMAIN: "a" }))).toThrow("http");
});

it("B2 refuses line breaks and control characters in headers", () => {
  expect(fillHeader("Bearer [API_KEY]\tx", values({ API_KEY: "ä b" }))).toBe("Bearer ä b\tx");
  for (const API_KEY of ["a\r\nX: 1", "a\n", "\r", "a\0", "\u007f"])
    expect(() => fillHeader("[API_KEY]", values({ API_KEY }))).toThrow("line break");
});

it("replaces once, leaves other brackets alone, and asks for values that it knows of", () => {
  expect(fillText("[a][b]", values({ a: "[b]", b: "$& $1 [a]" }))).toBe("[b]$& $1 [a]");
  expect(fillText("x[1] [] [unknown] [constructor] [__proto__]", values({}))).toBe("x[1] [] [unknown] [constructor] [__proto__]");
  expect(() => fillText("[CLIENT_SECRET]", values({}))).toThrow("CLIENT_SECRET");
});

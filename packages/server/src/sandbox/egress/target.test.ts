import fc from "fast-check";
import { PlinthError } from "@plinth/core/errors.ts";
import { isIP } from "node:net";
import { expect, test } from "vitest";
import { parseTarget, type Target } from "./target.ts";

const POLICY = { allowedPrivate: ["127.0.0.1:8080", "[::1]:8080", "inner.test:8080"], allowedPorts: [8443] };

test("whatever is accepted is an http(s) URL without credentials, at an allowed port, read the same way again", () => {
  const pieces = [
    "http",
    "https",
    "ftp",
    "file",
    ":",
    "/",
    "//",
    "\\",
    "@",
    "#",
    "?",
    "%",
    ".",
    "..",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "127.1",
    "0x7f",
    "a.test",
    "inner.test",
    "user",
    "80",
    "443",
    "8080",
    "8443",
    "22",
    "é",
    "。",
    "\t",
    "\n",
    " ",
    "\u0000",
  ];
  const url = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join("")),
  );
  const prefixed = fc.tuple(fc.constantFrom("", "http://", "https://", "HTTP:"), url).map((parts) => parts.join(""));
  fc.assert(
    fc.property(prefixed, (text) => {
      const target = parse(text);
      if (target === undefined) return;
      const again = new URL(target.url.href);
      expect(["http:", "https:"]).toContain(again.protocol);
      expect([again.username, again.password]).toEqual(["", ""]);
      expect(again.hostname.replace(/^\[|\]$/g, "")).toBe(target.hostname);
      expect(target.hostname).toMatch(/[^.]$/);
      expect(target.isAddress).toBe(isIP(target.hostname) !== 0);
      expect(target.privateAllowed || [80, 443, 8443].includes(target.port)).toBe(true);
      expect(Number(again.port === "" ? (target.secure ? 443 : 80) : again.port)).toBe(target.port);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ["http://127.0.0.1:8080/", true],
  ["http://127.1:8080/", true],
  ["https://[0:0::1]:8080/", true],
  ["http://INNER.test.:8080/x", true],
  ["http://127.0.0.1/", false],
  ["http://127.0.0.1:8443/", false],
  ["http://x.inner.test/", false],
])("%s: named by the operator: %s", (url, privateAllowed) => expect(parse(url)?.privateAllowed).toBe(privateAllowed));

function parse(text: string): Target | undefined {
  try {
    return parseTarget(text, POLICY);
  } catch (error) {
    expect(error).toBeInstanceOf(PlinthError);
    return undefined;
  }
}

import { expect, test } from "vitest";
import { cutText, escapeText } from "./escape-text.ts";

test("control characters and direction marks become visible, tab and newline stay", () => {
  expect(escapeText("a\tb\nc")).toBe("a\tb\nc");
  expect(escapeText("\u001b[31mred\r\u0000\u009b\u2028\u202e")).toBe("\\u001b[31mred\\u000d\\u0000\\u009b\\u2028\\u202e");
});

test("a cut never leaves half a character", () => {
  expect(cutText("ab😀", 3)).toBe("ab");
  expect(cutText("ab😀", 4)).toBe("ab😀");
  expect(escapeText("abc", 2)).toBe("ab");
});

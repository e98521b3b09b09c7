/** Texts. Positions and lengths are those of characters. */
import { isArray, RegoSet, type Value } from "../values.ts";
import type { Budget } from "../budget.ts";
import { ofTexts, type Builtin } from "./builtin.ts";
import { sprintf } from "./sprintf.ts";

const TEXT_CHARS_MAX = 4 * 1024 * 1024;

/** Without the characters of `cutset` at the sides that are named. */
function trimmed(text: string, cutset: string, sides: { readonly start: boolean; readonly end: boolean }): string {
  const cut = new Set(cutset);
  const chars = Array.from(text);
  let [start, end] = [0, chars.length];
  while (sides.start && start < end && cut.has(chars[start] ?? "")) start += 1;
  while (sides.end && end > start && cut.has(chars[end - 1] ?? "")) end -= 1;
  return chars.slice(start, end).join("");
}

function listOf(value: Value | undefined): readonly Value[] | undefined {
  if (value instanceof RegoSet) return value.items();
  return value !== undefined && isArray(value) ? value : undefined;
}

function textsOf(value: Value | undefined): readonly string[] | undefined {
  const list = listOf(value);
  const texts = list?.filter((item) => typeof item === "string");
  return texts === undefined || texts.length !== list?.length ? undefined : texts;
}

function fits(budget: Budget, chars: number): boolean {
  budget.takeChars(chars);
  return chars <= TEXT_CHARS_MAX;
}

function concat([delimiter, list]: readonly Value[], { budget }: { readonly budget: Budget }): Value | undefined {
  const texts = textsOf(list);
  if (typeof delimiter !== "string" || texts === undefined) return undefined;
  const chars = texts.reduce((sum, text) => sum + text.length + delimiter.length, 0);
  return fits(budget, chars) ? texts.join(delimiter) : undefined;
}

function replace([text, old, next]: readonly Value[], { budget }: { readonly budget: Budget }): Value | undefined {
  if (typeof text !== "string" || typeof old !== "string" || typeof next !== "string") return undefined;
  const places = text.split(old);
  return fits(budget, text.length + places.length * next.length) ? places.join(next) : undefined;
}

function substring([text, start, length]: readonly Value[], { budget }: { readonly budget: Budget }): Value | undefined {
  if (typeof text !== "string" || typeof start !== "number" || typeof length !== "number" || start < 0) return undefined;
  budget.takeChars(text.length);
  return Array.from(text)
    .slice(start, length < 0 ? undefined : start + length)
    .join("");
}

function matchesAny(method: "startsWith" | "endsWith"): Builtin {
  return {
    arity: 2,
    call: ([texts, parts], { budget }) => {
      const search = typeof texts === "string" ? [texts] : textsOf(texts);
      const candidates = typeof parts === "string" ? [parts] : textsOf(parts);
      if (search === undefined || candidates === undefined) return undefined;
      budget.take(search.length * candidates.length);
      return search.some((text) => candidates.some((part) => text[method](part)));
    },
  };
}

export const TEXTS: Readonly<Record<string, Builtin>> = {
  concat: { arity: 2, call: concat },
  replace: { arity: 3, call: replace },
  substring: { arity: 3, call: substring },
  sprintf: {
    arity: 2,
    call: ([format, values], { budget }) => {
      if (typeof format !== "string" || values === undefined || !isArray(values)) return undefined;
      budget.takeChars(format.length);
      const text = sprintf(format, values);
      return fits(budget, text.length) ? text : undefined;
    },
  },
  contains: ofTexts(2, (text, part) => text.includes(part)),
  startswith: ofTexts(2, (text, part) => text.startsWith(part)),
  endswith: ofTexts(2, (text, part) => text.endsWith(part)),
  "strings.any_prefix_match": matchesAny("startsWith"),
  "strings.any_suffix_match": matchesAny("endsWith"),
  "strings.count": ofTexts(2, (text, part) => (part === "" ? undefined : text.split(part).length - 1)),
  "strings.reverse": ofTexts(1, (text) => Array.from(text).reverse().join("")),
  indexof: ofTexts(2, (text, part) => {
    const at = text.indexOf(part);
    return at <= 0 ? at : Array.from(text.slice(0, at)).length;
  }),
  lower: ofTexts(1, (text) => text.toLowerCase()),
  upper: ofTexts(1, (text) => text.toUpperCase()),
  split: {
    arity: 2,
    call: ([text, delimiter], { budget }) => {
      if (typeof text !== "string" || typeof delimiter !== "string") return undefined;
      budget.takeChars(text.length);
      const parts = delimiter === "" ? Array.from(text) : text.split(delimiter);
      budget.take(parts.length);
      return parts;
    },
  },
  trim: ofTexts(2, (text, cutset) => trimmed(text, cutset, { start: true, end: true })),
  trim_left: ofTexts(2, (text, cutset) => trimmed(text, cutset, { start: true, end: false })),
  trim_right: ofTexts(2, (text, cutset) => trimmed(text, cutset, { start: false, end: true })),
  trim_space: ofTexts(1, (text) => text.trim()),
  trim_prefix: ofTexts(2, (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trim_suffix: ofTexts(2, (text, suffix) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text)),
  format_int: {
    arity: 2,
    call: ([number, base]) =>
      typeof number === "number" && (base === 2 || base === 8 || base === 10 || base === 16)
        ? Math.trunc(number).toString(base)
        : undefined,
  },
};

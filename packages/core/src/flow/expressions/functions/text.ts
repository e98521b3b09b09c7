/** Functions of texts. Places and lengths count characters (code points), so that no character is cut in two. */
import type { Json } from "../../../operations/operation.ts";
import type { Work } from "../work.ts";
import { type FunctionSpec, listOf, numberOf, one, optional, textOf, wholeOf } from "./function-spec.ts";
import { formatText } from "./format-text.ts";
import { indexOfText, matchesGlob, occurrences } from "./text-search.ts";

const LENGTH = { min: 0, max: Number.MAX_SAFE_INTEGER };
const PAIR = /[\ud800-\udfff]/;

/** The characters of a text that has some beyond 16 bits; null for others, whose units are characters. */
function characters(text: string, work: Work): readonly string[] | null {
  work.read(text);
  if (!PAIR.test(text)) return null;
  work.growList(text.length);
  return Array.from(text);
}

export function characterCount(text: string, work: Work): number {
  return characters(text, work)?.length ?? text.length;
}

function cut(text: string, from: number, to: number, work: Work): string {
  const all = characters(text, work);
  work.growText(Math.max(0, Math.min(to, text.length) - from));
  return all === null ? text.slice(from, to) : all.slice(from, to).join("");
}

function split(text: string, separator: string, work: Work): Json {
  if (separator === "") {
    work.growList(text.length);
    return Array.from(text);
  }
  const parts: string[] = [];
  let from = 0;
  work.growText(text.length);
  for (const at of occurrences(text, separator, work)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function replace(text: string, from: string, to: string, work: Work): string {
  if (from === "") return work.fail("value", "`replace` needs a text to look for; this one is empty.");
  const starts = occurrences(text, from, work);
  work.growText(text.length + starts.length * (to.length - from.length));
  let made = "";
  let end = 0;
  for (const at of starts) {
    made += text.slice(end, at) + to;
    end = at + from.length;
  }
  return made + text.slice(end);
}

function join(list: readonly Json[], separator: string, work: Work): string {
  work.spend(list.length);
  const texts: string[] = [];
  let chars = Math.max(0, list.length - 1) * separator.length;
  for (const item of list) {
    if (typeof item !== "string") return work.fail("type", "`join` takes a list of texts; `list.map(x, string(x))` makes one of numbers.");
    chars += item.length;
    texts.push(item);
  }
  work.growText(chars);
  return texts.join(separator);
}

export const TEXT_FUNCTIONS: readonly FunctionSpec[] = [
  {
    name: "lower",
    parameters: [one("text", "text")],
    result: "string",
    description: "In small letters.",
    examples: [['lower("Ärger")', "ärger"]],
    run: (args, work) => {
      work.growText(textOf(args, 0).length);
      return textOf(args, 0).toLowerCase();
    },
  },
  {
    name: "upper",
    parameters: [one("text", "text")],
    result: "string",
    description: "In capital letters.",
    examples: [['"eur".upper()', "EUR"]],
    run: (args, work) => {
      // A letter may become three.
      work.growText(textOf(args, 0).length * 3);
      return textOf(args, 0).toUpperCase();
    },
  },
  {
    name: "trim",
    parameters: [one("text", "text")],
    result: "string",
    description: "Without space at its beginning and end.",
    examples: [['trim("  a b ")', "a b"]],
    run: (args, work) => {
      work.growText(textOf(args, 0).length);
      return textOf(args, 0).trim();
    },
  },
  {
    name: "split",
    parameters: [one("text", "text"), one("separator", "text")],
    result: { list: "string" },
    description: "Its parts between separators; its characters where the separator is empty.",
    examples: [['split("a, b, c", ", ")', ["a", "b", "c"]]],
    run: (args, work) => split(textOf(args, 0), textOf(args, 1), work),
  },
  {
    name: "join",
    parameters: [one("list", "texts"), optional("separator", "text")],
    result: "string",
    description: "The texts of a list as one.",
    examples: [['["a", "b"].join(", ")', "a, b"]],
    run: (args, work) => join(listOf(args, 0), args.length > 1 ? textOf(args, 1) : "", work),
  },
  {
    name: "replace",
    parameters: [one("text", "text"), one("from", "text"), one("to", "text")],
    result: "string",
    description: "With `to` wherever `from` was. Both are plain texts, not patterns.",
    examples: [['replace("1.000.000", ".", "")', "1000000"]],
    run: (args, work) => replace(textOf(args, 0), textOf(args, 1), textOf(args, 2), work),
  },
  {
    name: "substring",
    parameters: [one("text", "text"), one("from", "number"), optional("to", "number")],
    result: "string",
    description: "The characters from place `from` (0 is the first) up to, not including, `to`. What lies beyond the end is left out.",
    examples: [
      ['substring("invoice", 2)', "voice"],
      ['"invoice".substring(0, 2)', "in"],
    ],
    run: (args, work) =>
      cut(textOf(args, 0), wholeOf(args, 1, LENGTH, work), args.length > 2 ? wholeOf(args, 2, LENGTH, work) : LENGTH.max, work),
  },
  {
    name: "startsWith",
    parameters: [one("text", "text"), one("start", "text")],
    result: "boolean",
    description: "Whether it begins so.",
    examples: [['"ticket-7".startsWith("ticket-")', true]],
    run: (args, work) => {
      work.read(textOf(args, 1));
      return textOf(args, 0).startsWith(textOf(args, 1));
    },
  },
  {
    name: "endsWith",
    parameters: [one("text", "text"), one("end", "text")],
    result: "boolean",
    description: "Whether it ends so.",
    examples: [['endsWith("a@example.com", "@example.com")', true]],
    run: (args, work) => {
      work.read(textOf(args, 1));
      return textOf(args, 0).endsWith(textOf(args, 1));
    },
  },
  {
    name: "contains",
    parameters: [one("text", "text"), one("part", "text")],
    result: "boolean",
    description: "Whether `part` is somewhere in it.",
    examples: [['contains("refund please", "refund")', true]],
    run: (args, work) => indexOfText(textOf(args, 0), textOf(args, 1), 0, work) !== -1,
  },
  {
    name: "indexOf",
    parameters: [one("text", "text"), one("part", "text")],
    result: "number",
    description: "Place of the first `part`, or -1.",
    examples: [
      ['indexOf("a@b", "@")', 1],
      ['"a".indexOf("@")', -1],
    ],
    run: (args, work) => {
      const found = indexOfText(textOf(args, 0), textOf(args, 1), 0, work);
      return found <= 0 ? found : characterCount(textOf(args, 0).slice(0, found), work);
    },
  },
  {
    name: "glob",
    parameters: [one("text", "text"), one("pattern", "text")],
    result: "boolean",
    description: "Whether the whole text fits a pattern, in which `*` is any text and `?` one character.",
    examples: [['glob("invoice-2026.pdf", "invoice-*.pdf")', true]],
    run: (args, work) => {
      work.read(textOf(args, 1));
      return matchesGlob(textOf(args, 0), textOf(args, 1), work);
    },
  },
  {
    name: "format",
    parameters: [one("template", "text"), one("values", "list")],
    result: "string",
    description:
      "The template with its values in order: `%s` any value, `%d` a whole number, `%.2f` a number with two decimals, `%%` a percent sign.",
    examples: [['"%s: %.2f EUR (%d%%)".format(["Total", 12.5, 19])', "Total: 12.50 EUR (19%)"]],
    run: (args, work) => formatText(textOf(args, 0), listOf(args, 1), work),
  },
  {
    name: "padStart",
    parameters: [one("text", "text"), one("length", "number"), one("fill", "text")],
    result: "string",
    description: "With `fill` before it until it is so long.",
    examples: [['string(7).padStart(4, "0")', "0007"]],
    run: (args, work) => {
      const length = wholeOf(args, 1, LENGTH, work);
      work.growText(Math.max(length, textOf(args, 0).length));
      return textOf(args, 0).padStart(numberOf(args, 1), textOf(args, 2)).toWellFormed();
    },
  },
];

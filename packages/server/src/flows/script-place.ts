/** Where code of a node failed, for its author: line, column and the line itself. */
import { limit } from "@plinth/core/limits.ts";
import { escapeText } from "@plinth/core/policy/escape-text.ts";

export interface CodePlace {
  /** From 1. */
  readonly line: number;
  readonly column: number | null;
}

const JAVASCRIPT_FRAME = /^ {4}at (?:.{1,300} \()?script:(\d{1,9}):(\d{1,9})\)?$/m;
const LINE_END = /\r\n?|[\n\u2028\u2029]/;

const PYTHON_FRAME = /^ {4}at .{1,300} \(<inline>:(\d{1,9})\)$/m;

/** The innermost place in the code of a node; `stack` is what the runner says, so it may be anything. */
export function placeOfStack(stack: string | undefined): CodePlace | null {
  const [, line, column] = JAVASCRIPT_FRAME.exec(stack ?? "") ?? [];
  if (line !== undefined && column !== undefined) return { line: Number(line), column: Number(column) };
  const [, pythonLine] = PYTHON_FRAME.exec(stack ?? "") ?? [];
  return pythonLine === undefined ? null : { line: Number(pythonLine), column: null };
}

/** `line 3, column 9: \`return customer.tier\``; null when the code has no such line. */
export function shownPlace(code: string, { line, column }: CodePlace): string | null {
  if (!isCount(line) || (column !== null && !isCount(column))) return null;
  const text = code.split(LINE_END, line)[line - 1];
  if (text === undefined || (column !== null && column > text.length + 1)) return null;
  const place = `line ${line}${column === null ? "" : `, column ${column}`}`;
  const shown = cut(text, column ?? 1);
  return shown === "" ? place : `${place}: \`${escapeText(shown, limit("flowSourceLineCharsMax") + 2)}\``;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= limit("flowCodeBytesMax") + 1;
}

/** The part of a long line that has the column. */
function cut(text: string, column: number): string {
  const max = limit("flowSourceLineCharsMax");
  if (text.length <= max) return text.trim();
  const from = Math.max(0, Math.min(column - 1 - Math.floor(max / 2), text.length - max));
  return `${from > 0 ? "…" : ""}${text
    .slice(from, from + max)
    .toWellFormed()
    .trim()}${from + max < text.length ? "…" : ""}`;
}

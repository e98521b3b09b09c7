/**
 * What commands print. Results go to standard output, all else to standard error, so that output can be piped;
 * with `--json` results are one JSON value a line. Text of functions is shown without terminal escapes.
 */
import { styleText } from "node:util";
import type { Json } from "./client.ts";

/** Control characters that a terminal would act on are shown as `\x1b`. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters to be replaced
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

export function printJson(value: Json): void {
  process.stdout.write(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

export function note(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

export function success(text: string): void {
  process.stderr.write(`${styleText("green", "✓")} ${printable(text)}\n`);
}

export function problem(text: string): void {
  process.stderr.write(`${styleText("red", "✗")} ${printable(text)}\n`);
}

/** Shows what is going on while `work` takes more than a moment. */
export async function progress<T>(text: string, work: (update: (text: string) => void) => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  let current = text;
  const show = () => {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${styleText("dim", `${printable(current)} … ${seconds} s`)}`);
    else process.stderr.write(`${printable(current)} …\n`);
  };
  const timer = setInterval(show, process.stderr.isTTY ? 250 : 5000);
  const first = setTimeout(show, 700);
  try {
    return await work((update) => {
      current = update;
    });
  } finally {
    clearInterval(timer);
    clearTimeout(first);
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  }
}

/** Rows under headings, columns aligned. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => printable(row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => printable(cell).padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(headings), ...rows.map(line)].join("\n");
}

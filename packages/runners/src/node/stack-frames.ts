/**
 * Shows a stack as the author knows the files: relative to the package, and through the source maps that lie beside them. Maps are
 * read when a stack is shown; a package that never fails pays nothing for them.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, resolve } from "node:path";

/** Text before the place, the file, line and column, text behind it. */
const FRAME = /^(\s+at (?:.*?\()?)((?:file:\/\/)?\/[^():]+):(\d+):(\d+)(\)?)$/;
const FRAMES_MAX = 50;
const MAP_BYTES_MAX = 16 * 1024 * 1024;

const maps = new Map<string, SourceMap | undefined>();

/** The frames of a stack, one per line, without those of the runner and of Node's own inside. */
export function showStack(stack: string, codeFolder: string | undefined): string {
  const lines: string[] = [];
  for (const line of stack.split("\n")) {
    if (!/^\s+at /.test(line) || line.includes("(node:internal/") || line.includes(" node:internal/")) continue;
    const shown = showFrame(line, codeFolder);
    if (shown !== undefined) lines.push(shown);
    if (lines.length === FRAMES_MAX) break;
  }
  return lines.join("\n");
}

function showFrame(line: string, codeFolder: string | undefined): string | undefined {
  const match = FRAME.exec(line);
  if (match === null) return `    ${line.trim()}`;
  const [, before = "", url = "", lineText = "", columnText = "", after = ""] = match;
  const file = url.startsWith("file://") ? decodeURIComponent(url.slice("file://".length)) : url;
  // The runner's own frames; this module lies in the runner's file.
  if (file === __filename) return undefined;
  const place = original(file, Number(lineText), Number(columnText)) ?? { file, line: Number(lineText), column: Number(columnText) };
  return `    ${before.trim()}${before.endsWith("(") ? "" : " "}${relative(place.file, codeFolder)}:${place.line}:${place.column}${after}`;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function original(file: string, line: number, column: number): Place | undefined {
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !("originalSource" in entry) || typeof entry.originalSource !== "string") return undefined;
  return { file: resolve(dirname(file), entry.originalSource), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
  return maps.get(file);
}

function readMap(file: string): SourceMap | undefined {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length > MAP_BYTES_MAX) return undefined;
    return new SourceMap(JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}

function relative(file: string, codeFolder: string | undefined): string {
  return codeFolder !== undefined && file.startsWith(`${codeFolder}/`) ? file.slice(codeFolder.length + 1) : file;
}

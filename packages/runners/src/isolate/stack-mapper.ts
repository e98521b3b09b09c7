/**
 * Turns the stack of a thrown error into frames of the author's sources. The text comes from user code
 * and may be anything; only lines that look like frames of the version's script are kept.
 */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { SCRIPT_FILE, SCRIPT_LINES_BEFORE } from "@plinth/core/protocol/runner-protocol.ts";
import { VERSION_FILE } from "./wire.ts";

const FRAMES_MAX = 30;
const NAME_CHARS_MAX = 200;
const FRAME = new RegExp(`^ {4}at (?:(.{1,1000}?) \\()?(${VERSION_FILE}|${SCRIPT_FILE}):(\\d{1,9}):(\\d{1,9})\\)?$`);
/** The package that every function is made with: its frames say nothing to an author. */
const HIDDEN_SOURCE = /(^|\/)node_modules\/convex\//;

export class StackMapper {
  readonly #map: TraceMap;

  private constructor(map: TraceMap) {
    this.#map = map;
  }

  /** null when the text is no source map. */
  static parse(text: string): StackMapper | null {
    try {
      return new StackMapper(new TraceMap(text));
    } catch {
      return null;
    }
  }

  /** The place in the sources of a place in the script (both count lines and columns from 1). */
  place(line: number, column: number): { readonly source: string; readonly line: number; readonly column: number } | undefined {
    try {
      const found = originalPositionFor(this.#map, { line, column: column - 1 });
      return found.source === null ? undefined : { source: found.source, line: found.line, column: found.column + 1 };
    } catch {
      return undefined;
    }
  }
}

/** The frames of user code in `stack`, one per line, each beginning with `    at `; empty when there is none. */
export function userFrames(stack: string, mapper: StackMapper | null): string {
  // What calls inline code is Plinth's own.
  const isInline = stack.includes(SCRIPT_FILE);
  const frames: string[] = [];
  for (const text of stack.split("\n", 200)) {
    const [, name, file, line, column] = FRAME.exec(text) ?? [];
    if (file === undefined || (file === SCRIPT_FILE) !== isInline) continue;
    const place = isInline ? scriptPlace(Number(line), Number(column)) : placeIn(mapper, Number(line), Number(column));
    if (place !== undefined) frames.push(name === undefined ? `    at ${place}` : `    at ${name.slice(0, NAME_CHARS_MAX)} (${place})`);
    if (frames.length === FRAMES_MAX) break;
  }
  return frames.join("\n");
}

export function hasUserFrames(stack: string): boolean {
  return stack.includes(VERSION_FILE) || stack.includes(SCRIPT_FILE);
}

/** Of inline code: `script:<line>:<column>`. */
function scriptPlace(line: number, column: number): string | undefined {
  return line > SCRIPT_LINES_BEFORE ? `script:${line - SCRIPT_LINES_BEFORE}:${column}` : undefined;
}

function placeIn(mapper: StackMapper | null, line: number, column: number): string | undefined {
  const place = mapper?.place(line, column);
  if (mapper !== null && (place === undefined || HIDDEN_SOURCE.test(place.source))) return undefined;
  return place === undefined ? `version.js:${line}:${column}` : `${place.source}:${place.line}:${place.column}`;
}

/**
 * A look at hostile JSON before it is parsed: how deep it nests. The scan is linear, allocates nothing and
 * does not judge the syntax; `JSON.parse` does that afterwards.
 */
import { plinthError } from "../errors.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export interface ScanOptions {
  /** Arrays and objects within each other. */
  readonly depthMax: number;
  /** What the text is, for the error message. */
  readonly what?: string;
}

/** Throws TooDeep when arrays and objects of `source` nest deeper than `depthMax`. Returns the depth. */
export function scanJsonText(source: string | Uint8Array, options: ScanOptions): number {
  const deepest = typeof source === "string" ? depthOfText(source, options.depthMax) : depthOfBytes(source, options.depthMax);
  if (deepest > options.depthMax) throw plinthError("TooDeep", { what: options.what ?? "JSON", max: options.depthMax });
  return deepest;
}

function depthOfText(text: string, depthMax: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      i = closingQuoteOfText(text, i);
    } else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (depth > depthMax) return depth;
    } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return deepest;
}

/** Index of the quote that ends the string that begins at `start`; the end of the text when there is none. */
function closingQuoteOfText(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function depthOfBytes(bytes: Uint8Array, depthMax: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = closingQuoteOfBytes(bytes, i);
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (depth > depthMax) return depth;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return deepest;
}

function closingQuoteOfBytes(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = bytes.indexOf(QUOTE, at + 1);
    if (at < 0) return bytes.length;
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

/**
 * A look at hostile JSON before it is parsed: how deep it nests and how many values it holds, which is what
 * parsing and reading it cost. The scan is linear, allocates nothing and does not judge the syntax;
 * `JSON.parse` does that afterwards. Text that passes and is JSON has no more values than allowed.
 */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export interface ScanOptions {
  /** Arrays and objects within each other. */
  readonly depthMax: number;
  /**
   * Commas and opening brackets outside strings: one for each value below the top, one more for each empty
   * array or object. `jsonValuesMax` when absent.
   */
  readonly valuesMax?: number;
  /** What the text is, for the error message. */
  readonly what?: string;
}

/** Throws TooDeep or TooManyValues when `source` is over the limits. Returns how deep it nests. */
export function scanJsonText(source: string | Uint8Array, options: ScanOptions): number {
  const valuesMax = options.valuesMax ?? limit("jsonValuesMax");
  const deepest =
    typeof source === "string" ? scanText(source, options.depthMax, valuesMax) : scanBytes(source, options.depthMax, valuesMax);
  if (deepest === TOO_MANY) throw plinthError("TooManyValues", { what: options.what ?? "JSON", max: valuesMax });
  if (deepest > options.depthMax) throw plinthError("TooDeep", { what: options.what ?? "JSON", max: options.depthMax });
  return deepest;
}

const TOO_MANY = -1;

/** The greatest depth, or the first one over `depthMax`, or TOO_MANY. */
function scanText(text: string, depthMax: number, valuesMax: number): number {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  // JSON has two strings for a value at most. Text with more is none, and is not scanned to its end.
  let strings = 2 * valuesMax + 1;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      i = closingQuoteOfText(text, i);
      if ((strings -= 1) < 0) return TOO_MANY;
    } else if (unit === COMMA) {
      if ((values += 1) > valuesMax) return TOO_MANY;
    } else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (depth > depthMax) return depth;
      if ((values += 1) > valuesMax) return TOO_MANY;
    } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return deepest;
}

/** Index of the quote that ends the string that begins at `start`; the end of the text when there is none. */
function closingQuoteOfText(text: string, start: number): number {
  const quote = text.indexOf('"', start + 1);
  if (quote < 0) return text.length;
  if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote;
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === BACKSLASH) at += 1;
    else if (unit === QUOTE) return at;
  }
  return text.length;
}

function scanBytes(bytes: Uint8Array, depthMax: number, valuesMax: number): number {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  let strings = 2 * valuesMax + 1;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = closingQuoteOfBytes(bytes, i);
      if ((strings -= 1) < 0) return TOO_MANY;
    } else if (byte === COMMA) {
      if ((values += 1) > valuesMax) return TOO_MANY;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (depth > depthMax) return depth;
      if ((values += 1) > valuesMax) return TOO_MANY;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return deepest;
}

function closingQuoteOfBytes(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at;
  }
  return bytes.length;
}

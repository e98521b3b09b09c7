/**
 * Keys: an encoding of values whose byte order is the order of the values (`order.ts`).
 *
 * Each value begins with a tag and says itself where it ends, and no encoding is the beginning of another. So
 * encodings can be put one after the other: the order of such keys is the order of the lists of values, and
 * the keys of all lists that begin alike lie in one range of bytes. Tags are smaller than 0xff and greater than 0.
 */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { END, ESCAPE, ESCAPED_0, ESCAPED_1, TAG } from "./key-tags.ts";
import { damagedKey, readKeyValues } from "./key-reader.ts";
import { sortedFields, type Value, type ValueObject } from "./values.ts";

const KEY_BYTES_MAX = limit("indexKeyBytesMax");
const SCRATCH_BYTES = 1024;
/** A larger scratch buffer is given back after use. */
const SCRATCH_BYTES_KEPT = 256 * SCRATCH_BYTES;

// One key is written at a time, so one buffer serves them all: the hot path of every insert allocates its result only.
let scratch = new Uint8Array(SCRATCH_BYTES);
let view = new DataView(scratch.buffer);
let length = 0;

/** The key of a list of values. Throws LimitExceeded when it is too long. */
export function encodeKeyValues(values: readonly (Value | undefined)[]): Uint8Array {
  length = 0;
  for (const value of values) writeValue(value);
  if (length > KEY_BYTES_MAX) throw tooLong(length);
  const key = scratch.slice(0, length);
  if (scratch.length > SCRATCH_BYTES_KEPT) setScratch(new Uint8Array(SCRATCH_BYTES));
  return key;
}

function setScratch(buffer: Uint8Array<ArrayBuffer>): void {
  scratch = buffer;
  view = new DataView(buffer.buffer);
}

/** Makes room for `more` bytes. */
function reserve(more: number): void {
  if (length + more <= scratch.length) return;
  if (length > KEY_BYTES_MAX) throw tooLong(length);
  const larger = new Uint8Array(Math.max(scratch.length * 2, length + more));
  larger.set(scratch.subarray(0, length));
  setScratch(larger);
}

function tooLong(actual: number): Error {
  return plinthError("LimitExceeded", { what: "Bytes of an index key", actual, max: KEY_BYTES_MAX });
}

function writeByte(byte: number): void {
  reserve(1);
  scratch[length] = byte;
  length += 1;
}

function writeValue(value: Value | undefined): void {
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "number":
      return writeFloat(value);
    case "bigint":
      return writeInteger(value);
    case "boolean":
      return writeByte(value ? TAG.true : TAG.false);
    case "undefined":
      return writeByte(TAG.undefined);
    default:
      return value === null ? writeByte(TAG.null) : writeContainer(value);
  }
}

function writeContainer(value: ArrayBuffer | Value[] | ValueObject): void {
  if (value instanceof ArrayBuffer) return writeBlob(new Uint8Array(value));
  if (Array.isArray(value)) {
    writeByte(TAG.array);
    for (const element of value) writeValue(element);
  } else {
    writeByte(TAG.object);
    for (const field of sortedFields(value)) {
      writeText(field);
      writeValue(value[field]);
    }
  }
  writeByte(END);
}

/** Sign bit set: all bits inverted; else: the sign bit set. Then bytes order as floats do. */
function writeFloat(value: number): void {
  reserve(9);
  scratch[length] = TAG.float64;
  view.setFloat64(length + 1, value);
  const high = view.getUint32(length + 1);
  if (high >= 0x8000_0000 && !Number.isNaN(value)) {
    view.setUint32(length + 1, ~high);
    view.setUint32(length + 5, ~view.getUint32(length + 5));
  } else if (Number.isNaN(value)) {
    // All NaNs are one value; the engine may hold any bits.
    view.setUint32(length + 1, 0xfff8_0000);
    view.setUint32(length + 5, 0);
  } else {
    scratch[length + 1] = (scratch[length + 1] as number) | 0x80;
  }
  length += 9;
}

function writeInteger(value: bigint): void {
  reserve(9);
  const magnitude = value < 0n ? -value - 1n : value;
  const width = value === 0n ? 0 : magnitude < 0x100n ? 1 : magnitude < 0x1_0000n ? 2 : magnitude < 0x1_0000_0000n ? 4 : 8;
  const step = width === 0 ? 0 : width === 8 ? 4 : width === 4 ? 3 : width;
  scratch[length] = TAG.int64Zero + (value < 0n ? -step : step);
  length += 1;
  // The low bytes of the two's complement: within one tag all values have the same sign, so bytes order right.
  if (width === 8) view.setBigInt64(length, value);
  else {
    const low = Number(BigInt.asUintN(32, value));
    if (width === 4) view.setUint32(length, low);
    else if (width === 2) view.setUint16(length, low & 0xffff);
    else if (width === 1) scratch[length] = low;
  }
  length += width;
}

function writeText(text: string): void {
  if (text.length > KEY_BYTES_MAX) throw tooLong(text.length);
  // The most that a unit can need is three bytes; with the tag and the end.
  reserve(3 * text.length + 2);
  const bytes = scratch;
  let at = length;
  bytes[at++] = TAG.string;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit <= ESCAPE) {
      bytes[at++] = ESCAPE;
      bytes[at++] = unit === 0 ? ESCAPED_0 : ESCAPED_1;
    } else if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(i) as number;
      if (point < 0x1_0000 || unit > 0xdbff) throw plinthError("InvalidValue", { detail: "The string holds half of a surrogate pair." });
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
      i += 1;
    }
  }
  bytes[at++] = END;
  length = at;
}

function writeBlob(blob: Uint8Array): void {
  if (blob.length > KEY_BYTES_MAX) throw tooLong(blob.length);
  reserve(2 * blob.length + 2);
  scratch[length++] = TAG.bytes;
  for (const byte of blob) {
    if (byte > ESCAPE) {
      scratch[length++] = byte;
    } else {
      scratch[length++] = ESCAPE;
      scratch[length++] = byte === 0 ? ESCAPED_0 : ESCAPED_1;
    }
  }
  scratch[length++] = END;
}

/** Reads a key back. Throws InvalidArgument when `key` is not one that `encodeKeyValues` makes. */
export function decodeKeyValues(key: Uint8Array): (Value | undefined)[] {
  const values = readKeyValues(key);
  // Writing it again proves that every part was in its one canonical form.
  if (compareBytes(encodeKeyValues(values), key) !== 0) throw damagedKey();
  return values;
}

/** Negative, 0 or positive: order of unsigned bytes, a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The smallest key that is greater than every key with `prefix`; null when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return null;
  // Not `slice`: where the prefix is a subclass of Uint8Array, its `slice` may share the memory.
  const end = new Uint8Array(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] as number) + 1;
  return end;
}

/** The smallest key that is greater than `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

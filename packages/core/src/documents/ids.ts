/**
 * Document ids. Binary: table number (little-endian groups of 7 bits) ‖ 16 random bytes ‖ checksum of both.
 * Text: Crockford's base32 in lower case, 32 characters for the table numbers of user tables.
 *
 * This file is part of the code that runs inside runners, where only ECMAScript is certain to exist.
 */
export interface DocumentId {
  readonly tableNumber: number;
  /** 16 bytes. */
  readonly internalId: Uint8Array;
}

/** Smaller numbers belong to system tables. */
export const USER_TABLE_NUMBER_MIN = 10_001;

const INTERNAL_BYTES = 16;
const CHECKSUM_BYTES = 2;
const TABLE_NUMBER_MAX = 0xffff_ffff;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** Character code → 5 bits; 255 for others. Made at its first use, because few of the contexts that load this file read an id. */
let digits: Uint8Array | undefined;

export function encodeDocumentId(id: DocumentId): string {
  const { tableNumber, internalId } = id;
  if (!Number.isInteger(tableNumber) || tableNumber < 0 || tableNumber > TABLE_NUMBER_MAX || internalId.length !== INTERNAL_BYTES) {
    throw new RangeError("not a document id");
  }
  const head = tableNumberBytes(tableNumber);
  const bytes = new Uint8Array(head.length + INTERNAL_BYTES + CHECKSUM_BYTES);
  bytes.set(head);
  bytes.set(internalId, head.length);
  const sum = checksum(bytes, bytes.length - CHECKSUM_BYTES);
  bytes[bytes.length - 2] = sum & 0xff;
  bytes[bytes.length - 1] = sum >> 8;
  return base32(bytes);
}

/** null when `text` is not the canonical text of an id. Says nothing about whether the table or document exists. */
export function decodeDocumentId(text: string): DocumentId | null {
  const bytes = bytesFromBase32(text);
  if (bytes === null) return null;
  const headLength = bytes.length - INTERNAL_BYTES - CHECKSUM_BYTES;
  const tableNumber = readTableNumber(bytes, headLength);
  if (tableNumber === null) return null;
  const sum = checksum(bytes, bytes.length - CHECKSUM_BYTES);
  if (bytes[bytes.length - 2] !== (sum & 0xff) || bytes[bytes.length - 1] !== sum >> 8) return null;
  return { tableNumber, internalId: bytes.slice(headLength, headLength + INTERNAL_BYTES) };
}

function tableNumberBytes(tableNumber: number): number[] {
  const bytes: number[] = [];
  let rest = tableNumber;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** The number whose one encoding is the first `length` bytes; null when they are not one. */
function readTableNumber(bytes: Uint8Array, length: number): number | null {
  if (length < 1 || length > 5) return null;
  let tableNumber = 0;
  for (let i = length - 1; i >= 0; i -= 1) {
    const byte = bytes[i] as number;
    if (byte >= 0x80 !== i < length - 1) return null;
    tableNumber = tableNumber * 0x80 + (byte & 0x7f);
  }
  if (length > 1 && bytes[length - 1] === 0) return null;
  return tableNumber <= TABLE_NUMBER_MAX ? tableNumber : null;
}

/** Fletcher's sums modulo 256: finds single wrong characters and swapped bytes. */
function checksum(bytes: Uint8Array, length: number): number {
  let low = 0;
  let high = 0;
  for (let i = 0; i < length; i += 1) {
    low = (low + (bytes[i] as number)) & 0xff;
    high = (high + low) & 0xff;
  }
  return (high << 8) | low;
}

function base32(bytes: Uint8Array): string {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
    buffer &= 31;
  }
  return bits === 0 ? text : text + ALPHABET[(buffer << (5 - bits)) & 31];
}

function digitTable(): Uint8Array {
  const table = new Uint8Array(128).fill(255);
  for (let i = 0; i < ALPHABET.length; i += 1) table[ALPHABET.charCodeAt(i)] = i;
  return table;
}

function bytesFromBase32(text: string): Uint8Array | null {
  const byteLength = Math.floor((text.length * 5) / 8);
  const shortest = 1 + INTERNAL_BYTES + CHECKSUM_BYTES;
  if (byteLength < shortest || byteLength > shortest + 4 || Math.ceil((byteLength * 8) / 5) !== text.length) return null;
  const bytes = new Uint8Array(byteLength);
  const table = (digits ??= digitTable());
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = table[text.charCodeAt(i)] ?? 255;
    if (digit === 255) return null;
    buffer = (buffer << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = buffer >> bits;
      at += 1;
      buffer &= (1 << bits) - 1;
    }
  }
  // Bits that stand for no byte have to be zero, or one id would have several texts.
  return buffer === 0 ? bytes : null;
}

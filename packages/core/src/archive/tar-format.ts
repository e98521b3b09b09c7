/** The byte form of tar headers: fixed fields in blocks of 512 bytes (POSIX ustar, and what GNU tar writes). */
import { decodeName, refused } from "./archive-path.ts";

export const BLOCK_BYTES = 512;

const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  magic: [257, 8],
  prefix: [345, 155],
} as const;
const TYPE_AT = 156;
const CHECKSUM_SPACES = 8 * 0x20;

export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** One character: what kind of entry it is. */
  readonly type: string;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

export function readHeader(block: Uint8Array): TarHeader {
  if (octal(block, "checksum") !== checksumOf(block)) throw refused("it is no tar archive, or it is damaged");
  const magic = String.fromCharCode(...field(block, "magic"));
  const isPosix = magic.startsWith("ustar\0");
  const isGnu = magic === "ustar  \0";
  if (!isPosix && !isGnu && !/^\0+$/.test(magic)) throw refused("it has a header of an unknown form");
  const name = textField(block, "name");
  // GNU headers have times where POSIX has the first part of a long name.
  const prefix = isPosix ? textField(block, "prefix") : "";
  return { name: prefix === "" ? name : `${prefix}/${name}`, size: octal(block, "size"), type: String.fromCharCode(block[TYPE_AT] ?? 0) };
}

export function checksumOf(block: Uint8Array): number {
  let sum = CHECKSUM_SPACES;
  const [start, length] = FIELDS.checksum;
  for (let i = 0; i < BLOCK_BYTES; i++) if (i < start || i >= start + length) sum += block[i] ?? 0;
  return sum;
}

/** A header of a plain file (`0`), a folder (`5`) or of an extended header, with no owner or time of its own. */
export function writeHeader({
  name,
  size,
  type,
  mode = 0o644,
}: {
  readonly name: Uint8Array;
  readonly size: number;
  readonly type: "0" | "5" | "x";
  readonly mode?: number;
}): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (key: keyof typeof FIELDS, text: string): void => void new TextEncoder().encodeInto(text, block.subarray(FIELDS[key][0]));
  block.set(name, FIELDS.name[0]);
  put("mode", `${mode.toString(8).padStart(7, "0")}\0`);
  put("uid", "0000000\0");
  put("gid", "0000000\0");
  put("size", `${size.toString(8).padStart(11, "0")}\0`);
  put("mtime", `${"0".repeat(11)}\0`);
  put("magic", "ustar\u000000");
  block[TYPE_AT] = type.charCodeAt(0);
  put("checksum", `${checksumOf(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

function field(block: Uint8Array, key: keyof typeof FIELDS): Uint8Array {
  const [start, length] = FIELDS[key];
  return block.subarray(start, start + length);
}

/** Text up to the first zero byte. What stands behind it would be seen by other readers, so it must be zero too. */
function textField(block: Uint8Array, key: "name" | "prefix"): string {
  const bytes = field(block, key);
  const end = bytes.indexOf(0);
  if (end === -1) return decodeName(bytes);
  if (bytes.subarray(end).some((byte) => byte !== 0)) throw refused("a name in it has a zero byte");
  return decodeName(bytes.subarray(0, end));
}

function octal(block: Uint8Array, key: "size" | "checksum"): number {
  const text = String.fromCharCode(...field(block, key)).replace(/^[ \0]+|[ \0]+$/g, "");
  // Numbers beyond eight gigabytes are written in binary; nothing of that size is taken.
  if (!/^[0-7]{1,11}$/.test(text))
    throw refused(key === "size" ? "an entry has a size that cannot be read" : "it is no tar archive, or it is damaged");
  return Number.parseInt(text, 8);
}

/**
 * Writes tar archives that are the same for the same files: sorted names, no times, owners or modes of their own. Folders come
 * from the names of their files. Archives that are read by `TarReader` are written by nothing else of ours.
 */
import { checkPath } from "./archive-path.ts";
import { BLOCK_BYTES, writeHeader } from "./tar-format.ts";

const NAME_FIELD_BYTES = 100;
const encoder = new TextEncoder();

/** The order of files in an archive: by code unit, whatever the language of the machine. */
export function sortedPaths(paths: readonly string[]): string[] {
  return [...paths].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What stands before the bytes of a file. Throws InvalidPackage for a name that the reader would refuse. */
export function tarFileHeader({ path, size }: { readonly path: string; readonly size: number }): Uint8Array {
  return tarEntryHeader({ path: checkPath(path, "file"), size, type: "0" });
}

export interface TarEntry {
  readonly path: string;
  readonly size: number;
  /** `0` is a file, `5` a folder. */
  readonly type: "0" | "5";
  readonly mode?: number;
}

/** What stands before the bytes of an entry whose name is taken on trust. */
export function tarEntryHeader({ path, ...entry }: TarEntry): Uint8Array {
  const name = encoder.encode(path);
  if (name.length <= NAME_FIELD_BYTES) return writeHeader({ name, ...entry });
  const record = paxRecord("path", name);
  // Readers that know no extended headers find the end of the name at least.
  const cut = encoder.encode("long-name");
  return concat([
    writeHeader({ name: encoder.encode("pax-header"), size: record.length, type: "x" }),
    record,
    tarFilePadding(record.length),
    writeHeader({ name: cut, ...entry }),
  ]);
}

/** What stands behind the bytes of a file. */
export function tarFilePadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What stands behind the last file. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

/** A whole archive in pieces. */
export function* writeTar(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Generator<Uint8Array, void, undefined> {
  const byPath = new Map(files.map((file) => [file.path, file.bytes]));
  for (const path of sortedPaths([...byPath.keys()])) {
    const bytes = byPath.get(path) ?? new Uint8Array();
    yield tarFileHeader({ path, size: bytes.length });
    yield bytes;
    yield tarFilePadding(bytes.length);
  }
  yield tarEnd();
}

/** The length of a record counts its own digits. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = encoder.encode(` ${key}=`).length + value.length + 1;
  let length = rest + 1;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return concat([encoder.encode(`${length} ${key}=`), value, encoder.encode("\n")]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Writes the archive of a package: a compressed tar that is the same, byte for byte, for the same files. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { sortedPaths, tarEnd, tarFileHeader, tarFilePadding } from "@plinth/core/archive/tar-writer.ts";
import { must } from "@plinth/core/assert.ts";
import { CommandFailure } from "../failure.ts";

export interface PackFile {
  /** In the archive. */
  readonly path: string;
  readonly file: string;
  readonly bytes: number;
}

export interface Packed {
  readonly archive: string;
  /** sha-256 in hexadecimal: the name of the version. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  readonly archiveBytes: number;
}

const PIECE_BYTES = 256 * 1024;
const FILES_AT_ONCE = 32;

export async function pack(files: readonly PackFile[], archive: string): Promise<Packed> {
  await mkdir(dirname(archive), { recursive: true });
  const hash = createHash("sha256");
  let archiveBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      archiveBytes += chunk.length;
      done(null, chunk);
    },
  });
  const part = `${archive}.part`;
  // Level 3 packs 50 MB of JavaScript in a fraction of a second.
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } });
  await pipeline(Readable.from(tarOf(files)), compress, measure, createWriteStream(part));
  await rename(part, archive);
  return {
    archive,
    digest: hash.digest("hex"),
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes,
  };
}

/** The archive in pieces of some size: each piece is a trip to the compressor's thread, and most files are small. */
async function* tarOf(files: readonly PackFile[]): AsyncGenerator<Uint8Array> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const sorted = sortedPaths([...byPath.keys()]).map((path) => must(byPath.get(path), "paths are those of the files"));
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for await (const bytes of entriesOf(sorted)) {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    [waiting, waitingBytes] = [[], 0];
  }
  yield Buffer.concat([...waiting, tarEnd()]);
}

async function* entriesOf(files: readonly PackFile[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const batch = files.slice(at, at + FILES_AT_ONCE);
    const contents = await Promise.all(batch.map(readSmall));
    for (const [i, file] of batch.entries()) {
      yield tarFileHeader({ path: file.path, size: file.bytes });
      yield* contentOf(file, contents[i]);
      yield tarFilePadding(file.bytes);
    }
  }
}

async function readSmall({ file, bytes }: PackFile): Promise<Uint8Array | undefined> {
  return bytes <= PIECE_BYTES ? await readFile(file) : undefined;
}

/** `read`: the content of a small file. The archive has as many bytes as its header says, or there is no archive. */
async function* contentOf({ file, bytes }: PackFile, read: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of read === undefined ? (createReadStream(file) as AsyncIterable<Buffer>) : [read]) {
    length += chunk.length;
    yield chunk;
  }
  if (length !== bytes) throw new CommandFailure(`${file} changed while it was packed. Build again.`, 1);
}

/**
 * Unpacks one archive in a thread of its own: decompression and thousands of small files would hold up the event loop.
 * What the archive is, its first bytes say; names and kinds of entries are checked by `TarReader`.
 */
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parentPort, workerData } from "node:worker_threads";
import { createGunzip, createZstdDecompress, zstdCompressSync } from "node:zlib";
import { refused } from "@plinth/core/archive/archive-path.ts";
import { must } from "@plinth/core/assert.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { writeFileList } from "./file-list.ts";
import { FolderWriter } from "./folder-writer.ts";
import type { UnpackReply, UnpackRequest, UnpackSettings } from "./unpack-protocol.ts";

const PIECE_BYTES = 256 * 1024;

const port = must(parentPort, "this file runs as a thread");
const { folder } = workerData as UnpackSettings;

try {
  const incoming = pieces();
  const first = (await incoming.next()).value ?? Buffer.alloc(0);
  const writer = new FolderWriter(folder);
  const all = (async function* () {
    yield first;
    yield* incoming;
  })();
  await pipeline(Readable.from(all, { objectMode: false }), decompressor(first), async (plain: AsyncIterable<Buffer>) => {
    for await (const piece of plain) writer.push(piece);
  });
  const files = writer.end();
  const fileList = new Uint8Array(zstdCompressSync(writeFileList(files)));
  send({ kind: "done", files: files.length, bytes: files.reduce((sum, file) => sum + file.bytes, 0), fileList });
} catch (error) {
  send(failureOf(error));
}
port.close();

function send(reply: UnpackReply): void {
  port.postMessage(reply);
}

async function* pieces(): AsyncGenerator<Uint8Array, undefined, undefined> {
  for (;;) {
    const next = new Promise<UnpackRequest>((resolve) => port.once("message", resolve));
    send({ kind: "wanted" });
    const request = await next;
    if (request.kind === "end") return undefined;
    yield request.bytes;
  }
}

function decompressor(first: Uint8Array): Transform {
  const begins = (...bytes: readonly number[]) => bytes.every((byte, index) => first[index] === byte);
  if (begins(0x1f, 0x8b)) return createGunzip({ chunkSize: PIECE_BYTES });
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return createZstdDecompress({ chunkSize: PIECE_BYTES });
  return new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
}

function failureOf(error: unknown): UnpackReply {
  if (error instanceof PlinthError) {
    const prefix = plinthError("InvalidPackage", { detail: "" }).message;
    return { kind: "refused", detail: error.message.slice(prefix.length) };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/^(Z_|ZSTD_)/.test(code)) return failureOf(refused("its compressed bytes are damaged or cut off"));
  return { kind: "failed", detail: code === "" ? String(error) : code };
}

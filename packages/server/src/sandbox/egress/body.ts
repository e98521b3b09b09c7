/** Reads a response body: decoded, and never more of it than the limit, packed or unpacked. */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";

/** Undoes one layer of a Content-Encoding; rejects when the result is larger than `maxOutputLength`. */
export type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const [unzip, inflateZlib, inflateBare] = [promisify(gunzip), promisify(inflate), promisify(inflateRaw)] as const;

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: unzip,
  "x-gzip": unzip,
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
  // `deflate` means zlib, but some servers send it without the zlib header; the first byte tells.
  deflate: (body, options) => (((body[0] ?? 0) & 0x0f) === 8 ? inflateZlib(body, options) : inflateBare(body, options)),
};

/** Layers of one body that are undone; nobody sends more. */
const LAYERS = 2;

/** The decoders of a Content-Encoding header, last layer first; undefined when one of them is not known. */
export function decodersFor(contentEncoding: string): readonly Decoder[] | undefined {
  const names = contentEncoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  const known = names
    .map((name) => (Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined))
    .filter((decoder) => decoder !== undefined);
  return known.length === names.length && known.length <= LAYERS ? known.toReversed() : undefined;
}

/** Reads and decodes all; `reserve` is told of what is kept and throws when the tenant has no more room. */
export async function readBody(response: Readable, decoders: readonly Decoder[], reserve: (bytes: number) => void): Promise<Buffer> {
  let body = await readRaw(response, reserve);
  // A server that packs everything sends nothing for an empty body, not an empty archive.
  if (body.length === 0) return body;
  const maxOutputLength = limit("fetchBodyBytesMax");
  for (const decode of decoders) {
    try {
      body = await decode(body, { maxOutputLength });
    } catch (error) {
      throw error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : error;
    }
    reserve(body.length);
  }
  return body;
}

async function readRaw(response: Readable, reserve: (bytes: number) => void): Promise<Buffer> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit("fetchBodyBytesMax")) throw tooLarge();
    reserve(chunk.length);
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}

function tooLarge(): PlinthError {
  const max = limit("fetchBodyBytesMax");
  return plinthError("LimitExceeded", { what: "Bytes of the response body of a fetch", actual: `more than ${max}`, max });
}

/** Bodies that do not fit into memory: sent from where they are stored, and stored as they come. */
import type { ClientRequest } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { pipeline as piped } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { CallBodies, SentBody, StoredBody } from "../../engine/call-bodies.ts";

/** Writes the body, no faster than it is taken. When it cannot be read, the request ends with that error. */
export async function sendBody(request: ClientRequest, body: SentBody): Promise<void> {
  await piped(await body.open(), request);
}

const DECODERS: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
  deflate: createInflate,
};

/** Decoded; undefined when its encoding is not one of those that were asked for. */
export function decodedStream(response: Readable, contentEncoding: string): Readable | undefined {
  const name = contentEncoding.trim().toLowerCase();
  if (name === "" || name === "identity") return response;
  const make = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  // The error of the pipe is the one of its end, which is being read.
  return make === undefined ? undefined : pipeline(response, make(), () => undefined);
}

export type ReceivedBody = { readonly body: Buffer; readonly stored: null } | { readonly body: null; readonly stored: StoredBody };

/** Takes a body into memory when it is short; else it is stored. `reserve` is told of what is held. */
export async function receiveBody(
  source: Readable,
  contentType: string,
  { bodies, reserve }: { readonly bodies: CallBodies; readonly reserve: (bytes: number) => void },
): Promise<ReceivedBody> {
  const chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let bytes = 0;
  while (bytes <= bodies.keptAboveBytes) {
    const { done, value } = await chunks.next();
    if (done === true) return { body: Buffer.concat(held), stored: null };
    reserve(value.length);
    held.push(value);
    bytes += value.length;
  }
  const rest = async function* (): AsyncIterable<Buffer> {
    yield* held;
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  };
  return { body: null, stored: await bodies.keep(rest(), contentType) };
}

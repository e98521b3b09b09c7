/** Values of flows that are too large for memory, by pieces. Without `convex`, so that handlers use it too. */
import { syscall } from "./impl/syscall.ts";

/** What code has of an input that `open` of its step names, and of a value that it wrote. It means something to this call alone. */
export interface ValueHandle {
  readonly valueHandle: string;
  readonly bytes: number;
  /** Media type: `text/plain; charset=utf-8` for texts, `application/json` for other values of the flow. */
  readonly contentType: string;
}

/**
 * The bytes of a value in order, from `from` on, up to 1 MiB at a time. Fails before its last piece when they are not what was stored.
 *
 *     for await (const bytes of readValue(input.film)) hash.update(bytes);
 */
export async function* readValue(handle: ValueHandle, { from = 0 }: { readonly from?: number } = {}): AsyncGenerator<Uint8Array, void> {
  for (let offset = from; ;) {
    const piece = (await syscall("plinth/readValue", { handle: handle.valueHandle, offset, bytes: PIECE_BYTES })) as Piece;
    const bytes = bytesOf(piece.bodyBase64);
    if (bytes.length > 0) yield bytes;
    if (piece.done) return;
    offset += bytes.length;
  }
}

export type ValueSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/**
 * Stores what `source` gives, up to 1 GiB, and resolves when it is durable. The flow has the value where the result of the call has the
 * handle; what is in no result is not kept.
 *
 *     return { packed: await writeValue(Readable.from(readValue(input.film)).pipe(createGzip()), { contentType: "application/gzip" }) };
 */
export async function writeValue(source: ValueSource, { contentType }: { readonly contentType: string }): Promise<ValueHandle> {
  const { writer } = (await syscall("plinth/beginValue", { contentType })) as { readonly writer: string };
  let offset = 0;
  const write = async (body: Uint8Array): Promise<void> => {
    await syscall("plinth/writeValue", { writer, offset, bodyBase64: base64Of(body) });
    offset += body.length;
  };
  for await (const piece of piecesOf(source)) await write(piece);
  return (await syscall("plinth/finishValue", { writer })) as ValueHandle;
}

interface Piece {
  readonly bodyBase64: string;
  readonly done: boolean;
}

const PIECE_BYTES = 1_048_576;

/** Whatever the sizes that come: full pieces, and a last one. */
async function* piecesOf(source: ValueSource): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  const piece = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for await (const given of source) {
    let rest = typeof given === "string" ? encoder.encode(given) : given;
    while (rest.length > 0) {
      const part = rest.subarray(0, PIECE_BYTES - length);
      piece.set(part, length);
      length += part.length;
      rest = rest.subarray(part.length);
      if (length < PIECE_BYTES) continue;
      yield piece;
      length = 0;
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}

/** The language's own, where it is new enough. */
interface Base64Bytes {
  toBase64?(): string;
}

interface FromBase64 {
  fromBase64?(text: string): Uint8Array;
}

function base64Of(bytes: Uint8Array): string {
  const own = (bytes as Base64Bytes).toBase64?.();
  if (own !== undefined) return own;
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x2000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  return btoa(binary);
}

function bytesOf(text: string): Uint8Array {
  return (Uint8Array as FromBase64).fromBase64?.(text) ?? Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

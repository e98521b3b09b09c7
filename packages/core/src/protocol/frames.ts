/**
 * The byte form of the runner protocol: a frame is
 * `u32 LE length of the rest ‖ u32 LE envelope length ‖ envelope (JSON, UTF-8) ‖ body`.
 *
 * The decoder reads a hostile stream: a length is checked before anything is kept for it, and memory
 * grows only with bytes that arrived, never with a length that was claimed.
 */
import { limit } from "../limits.ts";

const PREFIX_BYTES = 4;
const ENVELOPE_LENGTH_BYTES = 4;
const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** The peer broke the protocol. The host ends such a runner; nothing of the frame is used. */
export class ProtocolViolation extends Error {
  override name = "ProtocolViolation";
}

export interface FrameCaps {
  /** Largest frame, its length prefix excluded. */
  readonly frameBytesMax: number;
  readonly envelopeBytesMax: number;
}

/** A received frame. Both parts are views that stay valid: the decoder does not reuse their memory. */
export interface Frame {
  readonly envelopeBytes: Uint8Array;
  readonly body: Uint8Array;
}

/** The caps of the protocol. */
export const FRAME_CAPS: FrameCaps = {
  frameBytesMax: limit("frameBytesMax"),
  envelopeBytesMax: limit("envelopeBytesMax"),
};

/**
 * The caps of what the host sends, which the runner trusts: the variables and tables of an `invoke` may
 * be longer than what a host reads from a runner.
 */
export const HOST_FRAME_CAPS: FrameCaps = {
  frameBytesMax: limit("frameBytesMax"),
  envelopeBytesMax: limit("frameBytesMax"),
};

/** Encodes one frame as one piece of bytes. `envelope` must be plain JSON data. */
export function encodeFrame(envelope: object, body: Uint8Array = EMPTY, caps: FrameCaps = FRAME_CAPS): Uint8Array {
  const json = encoder.encode(JSON.stringify(envelope));
  const rest = ENVELOPE_LENGTH_BYTES + json.length + body.length;
  if (json.length > caps.envelopeBytesMax) throw new ProtocolViolation(`envelope of ${json.length} bytes is over ${caps.envelopeBytesMax}`);
  if (rest > caps.frameBytesMax) throw new ProtocolViolation(`frame of ${rest} bytes is over ${caps.frameBytesMax}`);
  const bytes = new Uint8Array(PREFIX_BYTES + rest);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rest, true);
  view.setUint32(PREFIX_BYTES, json.length, true);
  bytes.set(json, PREFIX_BYTES + ENVELOPE_LENGTH_BYTES);
  bytes.set(body, PREFIX_BYTES + ENVELOPE_LENGTH_BYTES + json.length);
  return bytes;
}

/**
 * Cuts a stream of chunks into frames. `push` keeps views of the given chunks, so the caller must not
 * write into them afterwards. After a violation the decoder refuses everything.
 */
export class FrameDecoder {
  readonly #caps: FrameCaps;
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that earlier frames used up. */
  #offset = 0;
  #bytes = 0;
  /** Length of the frame that is being received, its prefix excluded; null while the prefix is incomplete. */
  #rest: number | null = null;
  #broken = false;

  constructor(caps: FrameCaps = FRAME_CAPS) {
    this.#caps = caps;
  }

  /** Bytes that wait for the rest of their frame. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): Frame[] {
    if (this.#broken) throw new ProtocolViolation("the stream is broken");
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
    }
    const frames: Frame[] = [];
    for (;;) {
      if (this.#rest === null) {
        if (this.#bytes < PREFIX_BYTES) return frames;
        this.#rest = this.#checkedLength(this.#take(PREFIX_BYTES));
      }
      if (this.#bytes < this.#rest) {
        this.#checkEnvelopeEarly();
        return frames;
      }
      frames.push(this.#split(this.#take(this.#rest)));
      this.#rest = null;
    }
  }

  #checkedLength(prefix: Uint8Array): number {
    const rest = readU32(prefix);
    if (rest < ENVELOPE_LENGTH_BYTES) this.#fail(`frame of ${rest} bytes has no envelope length`);
    if (rest > this.#caps.frameBytesMax) this.#fail(`frame of ${rest} bytes is over ${this.#caps.frameBytesMax}`);
    return rest;
  }

  /** A wrong envelope length is found as soon as it is there, not after a whole frame was collected. */
  #checkEnvelopeEarly(): void {
    const first = this.#chunks[0];
    if (this.#rest === null || first === undefined || first.length - this.#offset < ENVELOPE_LENGTH_BYTES) return;
    this.#checkEnvelopeLength(readU32(first.subarray(this.#offset)), this.#rest);
  }

  #checkEnvelopeLength(length: number, rest: number): void {
    if (length > this.#caps.envelopeBytesMax) this.#fail(`envelope of ${length} bytes is over ${this.#caps.envelopeBytesMax}`);
    if (length > rest - ENVELOPE_LENGTH_BYTES) this.#fail(`envelope of ${length} bytes is longer than its frame`);
  }

  #split(rest: Uint8Array): Frame {
    const length = readU32(rest);
    this.#checkEnvelopeLength(length, rest.length);
    return {
      envelopeBytes: rest.subarray(ENVELOPE_LENGTH_BYTES, ENVELOPE_LENGTH_BYTES + length),
      body: rest.subarray(ENVELOPE_LENGTH_BYTES + length),
    };
  }

  /** Removes `count` bytes, which are there; a view when one chunk holds them all, else a copy. */
  #take(count: number): Uint8Array {
    const first = this.#chunks[0];
    this.#bytes -= count;
    if (first !== undefined && first.length - this.#offset >= count) {
      const view = first.subarray(this.#offset, this.#offset + count);
      this.#offset += count;
      if (this.#offset === first.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
      return view;
    }
    const copy = new Uint8Array(count);
    let filled = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      const piece = chunk.subarray(this.#offset, this.#offset + (count - filled));
      copy.set(piece, filled);
      filled += piece.length;
      if (this.#offset + piece.length < chunk.length) {
        this.#offset += piece.length;
        break;
      }
      this.#offset = 0;
      used++;
      if (filled === count) break;
    }
    this.#chunks = this.#chunks.slice(used);
    return copy;
  }

  #fail(detail: string): never {
    this.#broken = true;
    this.#chunks = [];
    this.#bytes = 0;
    throw new ProtocolViolation(detail);
  }
}

function readU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}

/**
 * Blob and File of the File API, with the bytes in memory. The packages for them need Node's modules, or
 * top-level await.
 */
import { TextDecoder, TextEncoder } from "@exodus/bytes/encoding.js";
import { heldBridge } from "./held-bridge.ts";
import { knowClasses } from "./known-classes.ts";
import { platformClasses } from "./platform-class.ts";
import { ReadableStream } from "./streams.ts";

interface BlobOptions {
  readonly type?: unknown;
  readonly endings?: unknown;
}

/** Bytes that a stream hands out at a time. */
const CHUNK_BYTES = 64 * 1024;

/** The bytes themselves, not a copy. */
let bytesInside: (blob: Blob) => Uint8Array<ArrayBuffer>;

export class Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;

  constructor(parts?: unknown, options?: BlobOptions) {
    if (parts !== undefined && !isIterableObject(parts)) throw new TypeError("The parts of a Blob must be a sequence.");
    const settings = options ?? {};
    if (typeof settings !== "object" && typeof settings !== "function") throw new TypeError("The options of a Blob must be an object.");
    const { endings, type } = settings;
    if (endings !== undefined && `${endings}` !== "transparent" && `${endings}` !== "native")
      throw new TypeError(`'${endings}' is no value of endings.`);
    const native = endings !== undefined && `${endings}` === "native";
    this.#bytes = parts === undefined ? new Uint8Array() : join([...parts].map((part) => bytesOf(part, native)));
    this.#type = normalType(type);
  }

  get size(): number {
    return this.#bytes.length;
  }

  get type(): string {
    return this.#type;
  }

  slice(start?: number, end?: number, type?: unknown): Blob {
    const part = this.#bytes.slice(clamp(start, 0), clamp(end, this.size));
    return new Blob([part], { type: type ?? "" });
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }

  async text(): Promise<string> {
    return new TextDecoder("utf-8").decode(this.#bytes);
  }

  stream(): ReadableStream<Uint8Array> {
    let position = 0;
    return new ReadableStream({
      type: "bytes",
      pull: (controller) => {
        if (position < this.size) controller.enqueue(this.#bytes.slice(position, position + CHUNK_BYTES));
        position += CHUNK_BYTES;
        if (position < this.size) return;
        controller.close();
        controller.byobRequest?.respond(0);
      },
    });
  }

  static {
    bytesInside = (blob) => blob.#bytes;
  }
}

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(...args: readonly [parts: unknown, name: unknown, options?: BlobOptions & { readonly lastModified?: unknown }]) {
    if (args.length < 2) throw new TypeError("A File needs parts and a name.");
    const [parts, name, options] = args;
    super(parts ?? null, options);
    this.#name = `${name}`.toWellFormed();
    const at = options?.lastModified === undefined ? heldBridge().nowMs() : Number(options.lastModified);
    this.#lastModified = Number.isFinite(at) ? Math.trunc(at) : 0;
  }

  get name(): string {
    return this.#name;
  }

  get lastModified(): number {
    return this.#lastModified;
  }

  get webkitRelativePath(): string {
    return "";
  }
}

platformClasses({ Blob, File });
knowClasses({ Blob, File });

function bytesOf(part: unknown, native: boolean): Uint8Array {
  if (part instanceof Blob) return bytesInside(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  const text = `${part}`;
  return new TextEncoder().encode(native ? text.replace(/\r\n?/g, "\n") : text);
}

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}

function normalType(type: unknown): string {
  const text = type === undefined ? "" : `${type}`;
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : "";
}

/** A position within a blob, as Web IDL clamps it; `subarray` counts negative ones from the end. */
function clamp(position: unknown, fallback: number): number {
  if (position === undefined) return fallback;
  const number = Number(position);
  return Number.isNaN(number) ? 0 : Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function isIterableObject(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** Reads keys, which may come from outside (a cursor): anything may stand in them. */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { END, ESCAPE, ESCAPED_0, TAG } from "./key-tags.ts";
import type { Value, ValueObject } from "./values.ts";

export function damagedKey(): Error {
  return plinthError("InvalidArgument", { detail: "The key of the index entry is damaged." });
}

/** The values of a key. It may accept more than one form of a value; `decodeKeyValues` does not. */
export function readKeyValues(key: Uint8Array): (Value | undefined)[] {
  const reader = new KeyReader(key);
  const values: (Value | undefined)[] = [];
  while (!reader.done) values.push(reader.value(0));
  return values;
}

class KeyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): Value | undefined {
    if (depth > limit("valueDepthMax")) throw damagedKey();
    const tag = this.#byte();
    switch (tag) {
      case TAG.undefined:
        return undefined;
      case TAG.null:
        return null;
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.float64:
        return this.#float();
      case TAG.string:
        return this.#text();
      case TAG.bytes:
        return this.#blob().slice().buffer;
      case TAG.array:
        return this.#array(depth);
      case TAG.object:
        return this.#object(depth);
      default:
        return this.#integer(tag - TAG.int64Zero);
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw damagedKey();
    this.#at += 1;
    return byte;
  }

  /** Moves behind the next `count` bytes and returns where they begin. */
  #skip(count: number): number {
    const from = this.#at;
    if (from + count > this.#bytes.length) throw damagedKey();
    this.#at = from + count;
    return from;
  }

  #float(): number {
    const from = this.#skip(8);
    const high = this.#view.getUint32(from);
    const low = this.#view.getUint32(from + 4);
    const bits = new DataView(new ArrayBuffer(8));
    const negative = high < 0x8000_0000;
    bits.setUint32(0, negative ? ~high : high & 0x7fff_ffff);
    bits.setUint32(4, negative ? ~low : low);
    return bits.getFloat64(0);
  }

  #integer(step: number): bigint {
    switch (step) {
      case 0:
        return 0n;
      case 1:
        return BigInt(this.#byte());
      case 2:
        return BigInt(this.#view.getUint16(this.#skip(2)));
      case 3:
        return BigInt(this.#view.getUint32(this.#skip(4)));
      case 4:
      case -4:
        return this.#view.getBigInt64(this.#skip(8));
      case -1:
        return BigInt(this.#byte()) - 0x100n;
      case -2:
        return BigInt(this.#view.getUint16(this.#skip(2))) - 0x1_0000n;
      case -3:
        return BigInt(this.#view.getUint32(this.#skip(4))) - 0x1_0000_0000n;
      default:
        throw damagedKey();
    }
  }

  /** Bytes up to the end mark, with the escapes undone. */
  #blob(): Uint8Array<ArrayBuffer> {
    const content = new Uint8Array(this.#contentLength());
    for (let i = 0; i < content.length; i += 1) {
      const byte = this.#byte();
      content[i] = byte === ESCAPE ? this.#byte() - ESCAPED_0 : byte;
    }
    this.#at += 1;
    return content;
  }

  #contentLength(): number {
    let count = 0;
    for (let at = this.#at; ; at += 1) {
      const byte = this.#bytes[at];
      if (byte === undefined) throw damagedKey();
      if (byte === END) return count;
      if (byte === ESCAPE) at += 1;
      count += 1;
    }
  }

  #text(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#blob());
    } catch {
      throw damagedKey();
    }
  }

  #ended(): boolean {
    if (this.#bytes[this.#at] !== END) return false;
    this.#at += 1;
    return true;
  }

  #array(depth: number): Value[] {
    const array: Value[] = [];
    while (!this.#ended()) array.push(this.#present(depth + 1));
    return array;
  }

  #object(depth: number): ValueObject {
    const object: ValueObject = Object.create(null);
    while (!this.#ended()) {
      if (this.#byte() !== TAG.string) throw damagedKey();
      const field = this.#text();
      object[field] = this.#present(depth + 1);
    }
    return object;
  }

  #present(depth: number): Value {
    const value = this.value(depth);
    if (value === undefined) throw damagedKey();
    return value;
  }
}

/** Reads the numbers and texts of a WebAssembly module. All of it is hostile: whatever does not fit is a ModuleError. */

/** The module cannot be taken; the message is for its author. */
export class ModuleError extends Error {
  override name = "ModuleError";
}

const names = new TextDecoder("utf-8", { fatal: true });

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    const byte = this.at < this.#end ? this.#bytes[this.at] : undefined;
    if (byte === undefined) throw new ModuleError("a section ends too early");
    this.at++;
    return byte;
  }

  /** An unsigned number of up to 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new ModuleError("a number has more than 32 bits");
  }

  /** Passes over a number of up to 64 bits. */
  skipNumber(): void {
    for (let i = 0; i < 10; i++) if (this.byte() < 0x80) return;
    throw new ModuleError("a number has more than 64 bits");
  }

  /** The number of things that follow, each of which takes at least a byte. */
  count(what: string, max: number): number {
    const count = this.u32();
    if (count > max) throw new ModuleError(`it has ${count} ${what} and may have ${max}`);
    if (count > this.#end - this.at) throw new ModuleError("a section ends too early");
    return count;
  }

  /** A reader of the next bytes, which this one passes over. */
  part(length: number): ByteReader {
    if (length > this.#end - this.at) throw new ModuleError("a section ends too early");
    const part = new ByteReader(this.#bytes, this.at, this.at + length);
    this.at += length;
    return part;
  }

  text(): string {
    const length = this.u32();
    const from = this.at;
    this.part(length);
    try {
      return names.decode(this.#bytes.subarray(from, from + length));
    } catch {
      throw new ModuleError("a name is no UTF-8");
    }
  }
}

/** The bytes of an unsigned number. */
export function u32Bytes(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

/**
 * The memory of the module that runs. Every access asks for the buffer anew and checks its place: the module grows its memory as it
 * likes, and its pointers are hostile.
 */

/** Thrown at a place outside of the memory; becomes the error EFAULT. */
export const FAULT = new Error("a place outside of the memory");

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #buffer: ArrayBuffer;
  #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#buffer = memory.buffer;
    this.#view = new DataView(this.#buffer);
  }

  get byteLength(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Valid until the module runs again. */
  bytes(pointer: number, length: number): Uint8Array {
    this.#check(pointer, length);
    return new Uint8Array(this.#buffer, pointer >>> 0, length >>> 0);
  }

  u8(pointer: number): number {
    return this.#check(pointer, 1).getUint8(pointer >>> 0);
  }

  u16(pointer: number): number {
    return this.#check(pointer, 2).getUint16(pointer >>> 0, true);
  }

  u32(pointer: number): number {
    return this.#check(pointer, 4).getUint32(pointer >>> 0, true);
  }

  u64(pointer: number): bigint {
    return this.#check(pointer, 8).getBigUint64(pointer >>> 0, true);
  }

  setU32(pointer: number, value: number): void {
    this.#check(pointer, 4).setUint32(pointer >>> 0, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#check(pointer, 8).setBigUint64(pointer >>> 0, value, true);
  }

  /** Both are taken as unsigned; their sum is exact. */
  #check(pointer: number, length: number): DataView {
    const buffer = this.#memory.buffer;
    if ((pointer >>> 0) + (length >>> 0) > buffer.byteLength) throw FAULT;
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer);
    }
    return this.#view;
  }
}

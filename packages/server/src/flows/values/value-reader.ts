/** One stored value that code reads by pieces: mostly one after the other, so that its stream stays open between two of them. */
import type { Readable } from "node:stream";

export interface Piece {
  readonly offset: number;
  readonly bytes: number;
}

export class ValueReader {
  readonly #open: () => Promise<Readable>;
  /** Is told of all that is read, also of what lies before the piece. */
  readonly #count: (bytes: number) => void;
  #stream: Readable | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;
  /** Where `#rest` begins. */
  #at = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(open: () => Promise<Readable>, count: (bytes: number) => void) {
    this.#open = open;
    this.#count = count;
  }

  /** One at a time. Shorter at the end of the value, empty beyond it. */
  async read({ offset, bytes }: Piece): Promise<Buffer> {
    if (offset < this.#at) this.close();
    const taken: Buffer[] = [];
    let missing = bytes;
    while (missing > 0) {
      if (this.#rest.length === 0 && !(await this.#more())) break;
      const skipped = Math.min(this.#rest.length, Math.max(0, offset - this.#at));
      this.#drop(skipped);
      if (this.#at < offset) continue;
      const part = this.#rest.subarray(0, missing);
      this.#drop(part.length);
      taken.push(part);
      missing -= part.length;
    }
    return Buffer.concat(taken);
  }

  /** It may be read again, from the start. */
  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
    this.#chunks = undefined;
    this.#at = 0;
    this.#rest = Buffer.alloc(0);
  }

  async #more(): Promise<boolean> {
    if (this.#chunks === undefined) {
      this.#stream = await this.#open();
      this.#chunks = (this.#stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    }
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#count(value.length);
      this.#rest = value;
      return true;
    } catch (error) {
      // Asked again, it says the same.
      this.close();
      throw error;
    }
  }

  #drop(bytes: number): void {
    this.#rest = this.#rest.subarray(bytes);
    this.#at += bytes;
  }
}

import { limit } from "@plinth/core/limits.ts";

/** Bytes that one batch is meant to have: entries may be anything from a few bytes to a megabyte. */
const BYTES_WANTED = 1024 * 1024;
const START = 16;

/** How many entries to read at once when their size is not known beforehand. */
export class BatchSize {
  readonly #max: number;
  #size = START;

  constructor(max: number = limit("schemaBatchDocumentsMax")) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Learns from a batch that was read. */
  observe(entries: number, bytes: number): void {
    const fitting = entries === 0 ? this.#max : Math.ceil((BYTES_WANTED * entries) / (bytes + 1));
    this.#size = Math.max(1, Math.min(this.#max, 2 * this.#size, fitting));
  }

  /** After a batch that was too much for one transaction. False when it cannot be smaller. */
  shrink(): boolean {
    if (this.#size === 1) return false;
    this.#size >>= 1;
    return true;
  }
}

/**
 * What a cell prints to standard output and error. The beginning is kept for diagnosis; what comes behind it is read too, because a
 * full pipe would block the cell, but with pauses: what nobody looks at may not keep the host's thread busy.
 */
import { limit } from "@plinth/core/limits.ts";

/** How long a reader rests when `add` says so. */
export const OUTPUT_PAUSE_MS = 10;
/** Each piece costs the host about the same, however small it is. */
const PIECES = 256;

export class PrintedOutput {
  #text = "";
  #pieces = 0;
  #bytes = 0;

  get text(): string {
    return this.#text;
  }

  /** Keeps what there is room for; true when the reader has to rest before it reads on. */
  add(text: string): boolean {
    const max = limit("runnerOutputBytesMax");
    const free = max - this.#text.length;
    if (free > 0) {
      this.#text += text.slice(0, free);
      return false;
    }
    this.#pieces++;
    this.#bytes += text.length;
    if (this.#pieces < PIECES && this.#bytes < max) return false;
    this.#pieces = 0;
    this.#bytes = 0;
    return true;
  }
}

/** The three streams of a command. */

/** Standard input: the event. */
export class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: ArrayBuffer) {
    this.#bytes = new Uint8Array(bytes);
  }

  read(target: Uint8Array): number {
    const part = this.#bytes.subarray(this.#at, this.#at + target.length);
    target.set(part);
    this.#at += part.length;
    return part.length;
  }
}

/** Standard output: the result. */
export class Output {
  readonly #bytesMax: number;
  #buffer = new Uint8Array(1024);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** false when it is too much. */
  write(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#bytesMax) return false;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(length, this.#buffer.length * 2)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  take(): ArrayBuffer {
    return this.#buffer.buffer.slice(0, this.#length);
  }
}

const NEW_LINE = 10;
const RETURN = 13;
const TEXT_PART_BYTES = 4096;

/** Standard error: the log of the call, line by line. */
export class Lines {
  dropped = 0;
  last = "";
  readonly #bytesMax: number;
  readonly #linesMax: number;
  readonly #post: (line: string, truncated: boolean) => void;
  #line: Uint8Array;
  #length = 0;
  #count = 0;
  #truncated = false;

  constructor(options: {
    readonly bytesMax: number;
    readonly linesMax: number;
    readonly post: (line: string, truncated: boolean) => void;
  }) {
    this.#bytesMax = options.bytesMax;
    this.#linesMax = options.linesMax;
    this.#post = options.post;
    this.#line = new Uint8Array(Math.min(256, options.bytesMax));
  }

  write(bytes: Uint8Array): void {
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(NEW_LINE, from);
      this.#append(bytes.subarray(from, at < 0 ? bytes.length : at));
      if (at < 0) return;
      this.#finish();
      from = at + 1;
    }
  }

  /** Passes on what has no end of line. */
  flush(): void {
    if (this.#length > 0) this.#finish();
  }

  #append(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#bytesMax - this.#length);
    if (kept.length < bytes.length) this.#truncated = true;
    const length = this.#length + kept.length;
    if (length > this.#line.length) {
      const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(length, this.#line.length * 2)));
      grown.set(this.#line.subarray(0, this.#length));
      this.#line = grown;
    }
    this.#line.set(kept, this.#length);
    this.#length = length;
  }

  #finish(): void {
    const line = this.#line.subarray(0, this.#length > 0 && this.#line[this.#length - 1] === RETURN ? this.#length - 1 : this.#length);
    const truncated = this.#truncated;
    this.#length = 0;
    this.#truncated = false;
    // What is dropped is looked at for its text only when it may be the last word of a failure.
    const text = byteText(line);
    if (text.trim() !== "") this.last = text;
    if (this.#count >= this.#linesMax) {
      this.dropped++;
      return;
    }
    this.#count++;
    this.#post(text, truncated);
  }
}

/** A character for each byte. */
function byteText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += TEXT_PART_BYTES) text += String.fromCharCode(...bytes.subarray(at, at + TEXT_PART_BYTES));
  return text;
}

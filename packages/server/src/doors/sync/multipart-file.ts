/**
 * The part named `file` of a multipart form, as it arrives. What comes before it is passed over, what comes behind it is not read:
 * clients that do not know how long their file is announce more than they send.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

const HEAD_END = Buffer.from("\r\n\r\n");

/** A body that is no form is the file itself. */
export async function* multipartFile(contentType: string | undefined, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType)) {
    yield* source;
    return;
  }
  const boundary = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined) throw wrong("it names no boundary");
  const form = new FormReader(source, Buffer.from(`\r\n--${name}`));
  while (await form.nextPart()) {
    if (form.isFile) return yield* form.content();
    for await (const _ of form.content()) continue;
  }
  throw wrong("it has no part `file`");
}

class FormReader {
  isFile = false;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  /** A line end stands before the first boundary too, so that all are found the same way. */
  #held: Buffer = Buffer.from("\r\n");
  #ended = false;
  #begun = false;

  constructor(source: AsyncIterable<Uint8Array>, delimiter: Buffer) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** Reads up to the content of the next part; false behind the last one. */
  async nextPart(): Promise<boolean> {
    if (!this.#begun) {
      this.#begun = true;
      for await (const _ of this.content()) continue;
    }
    while (this.#held.length < 2) if (!(await this.#more())) throw wrong("it ends too early");
    if (this.#held.subarray(0, 2).toString("latin1") === "--") return false;
    const head = (await this.#upTo(HEAD_END)).toString("utf8");
    this.isFile = /^content-disposition:[^\r\n]*;\s*name="?file"?\s*(?:;|\r?$)/im.test(head);
    return true;
  }

  /** Bytes up to the next boundary, which is taken away. */
  async *content(): AsyncIterable<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(this.#delimiter);
      if (at !== -1) {
        const last = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + this.#delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      // A boundary may have begun in the last bytes.
      const sure = this.#held.length - this.#delimiter.length + 1;
      if (sure > 0) {
        yield this.#held.subarray(0, sure);
        this.#held = this.#held.subarray(sure);
      }
      if (!(await this.#more())) throw wrong("it ends too early");
    }
  }

  async #upTo(end: Buffer): Promise<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(end);
      if (at !== -1) {
        const found = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + end.length);
        return found;
      }
      if (this.#held.length > limit("requestHeaderBytesMax")) throw wrong("a part's headers are too long");
      if (!(await this.#more())) throw wrong("it ends too early");
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { done, value } = await this.#chunks.next();
    if (done === true) {
      this.#ended = true;
      return false;
    }
    this.#held = Buffer.concat([this.#held, value]);
    return true;
  }
}

function wrong(detail: string) {
  return plinthError("BadRequest", { detail: `The form cannot be read: ${detail}.` });
}

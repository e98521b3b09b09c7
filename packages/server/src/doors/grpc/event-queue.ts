/** Events on their way to a client that may read slowly: what waits is bounded, and who is too slow is cut off. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export class EventQueue<T> implements AsyncIterable<T> {
  readonly #waiting: { readonly event: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  /** `bytes` is about what the event takes. What comes after the end is dropped. */
  push(event: T, bytes: number): void {
    if (this.#end !== undefined) return;
    // A first event of any size passes.
    const max = limit("eventStreamBufferBytesMax");
    if (this.#bytes > 0 && this.#bytes + bytes > max) {
      this.#waiting.length = 0;
      this.end(plinthError("LimitExceeded", { what: "events that wait for their reader", actual: "more bytes", max }));
      return;
    }
    this.#bytes += bytes;
    this.#waiting.push({ event, bytes });
    this.#wake?.();
  }

  /** The last event, whose size is bounded elsewhere. */
  finish(event: T): void {
    if (this.#end === undefined) this.#waiting.push({ event, bytes: 0 });
    this.end();
  }

  /** The iteration ends after what waits, with the error if there is one. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
          yield next.event;
          this.#bytes -= next.bytes;
        }
        if (this.#end !== undefined) break;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#end.error !== undefined) throw this.#end.error;
    } finally {
      this.#end ??= { error: undefined };
      this.#waiting.length = 0;
    }
  }
}

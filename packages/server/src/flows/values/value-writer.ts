/** One value that code writes by pieces: each is on its way to the disk before the next one is taken. */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import type { StoredValue } from "@plinth/core/flow/value.ts";

type Store = (source: AsyncIterable<Buffer>) => Promise<StoredValue>;

interface Waiting {
  readonly body: Buffer;
  readonly taken: () => void;
}

export class ValueWriter {
  readonly #stored: Promise<StoredValue>;
  readonly #waiting: Waiting[] = [];
  #failed: PlinthError | undefined;
  #isOver = false;
  #bytes = 0;
  #wake: (() => void) | undefined;

  constructor(store: Store) {
    this.#stored = store(this.#pieces());
    // Whoever finishes hears of it; the pieces that wait are not taken any more.
    this.#stored.catch(() => this.#endWaiting());
  }

  /** Resolves when it is taken; the failure of a write is told by `finish`. */
  async write({ offset, body }: { readonly offset: number; readonly body: Buffer }): Promise<void> {
    if (this.#isOver) {
      // What it failed with says more.
      await this.#stored;
      throw plinthError("InvalidArgument", { detail: "The value is finished; nothing is written to it any more." });
    }
    if (offset !== this.#bytes) throw plinthError("InvalidArgument", { detail: `The next piece of the value begins at ${this.#bytes}.` });
    this.#bytes += body.length;
    await new Promise<void>((taken) => {
      this.#waiting.push({ body, taken });
      this.#wake?.();
    });
  }

  async finish(): Promise<StoredValue> {
    this.#isOver = true;
    this.#wake?.();
    return await this.#stored;
  }

  /** Nothing stays of it, except when it is finished. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failed = plinthError("Cancelled", { detail: "the call that wrote the value has ended" });
    this.#wake?.();
  }

  async *#pieces(): AsyncIterable<Buffer> {
    for (;;) {
      if (this.#failed !== undefined) throw this.#failed;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        try {
          yield next.body;
        } finally {
          next.taken();
        }
      } else if (this.#isOver) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #endWaiting(): void {
    this.#isOver = true;
    for (const { taken } of this.#waiting.splice(0)) taken();
  }
}

/**
 * Lets a bounded number of bodies run at a time. The others wait: those of one key in the order of their arrival, and keys take
 * turns, so that whoever brings many does not make others wait for all of them.
 */
export class Slots {
  #free: number;
  /** In the order of the keys' turns; no list is empty. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(key: string, body: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#wait(key, resolve));
    try {
      return await body();
    } finally {
      // The place passes to the next one directly, so that nobody who comes now takes it.
      const next = this.#next();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #wait(key: string, resolve: () => void): void {
    const line = this.#waiting.get(key);
    if (line === undefined) this.#waiting.set(key, [resolve]);
    else line.push(resolve);
  }

  #next(): (() => void) | undefined {
    for (const [key, line] of this.#waiting) {
      const next = line.shift();
      this.#waiting.delete(key);
      if (line.length > 0) this.#waiting.set(key, line);
      return next;
    }
    return undefined;
  }
}

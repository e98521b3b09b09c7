/** Runs tasks one at a time, in the order in which they were handed over. */
export class SerialQueue {
  #tail: Promise<void> | undefined;

  async run<T>(task: () => Promise<T>): Promise<T> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    if (before !== undefined) await before;
    try {
      return await task();
    } finally {
      if (this.#tail === promise) this.#tail = undefined;
      resolve();
    }
  }
}

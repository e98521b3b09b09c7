/** Lets only one deploy of a branch happen at a time; the others wait in the order of their arrival. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export class Turns {
  /** Of each key: what the next one waits for, and how many have not ended. */
  readonly #lines = new Map<string, { tail: Promise<void>; open: number }>();

  async take<T>(key: string, body: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { tail: Promise.resolve(), open: 0 };
    const max = limit("deploysWaitingMax");
    if (line.open > max) throw plinthError("TooManyConcurrentRequests", { detail: `${max} deploys of this branch wait already` });
    const run = line.open === 0 ? body() : line.tail.then(body);
    line.tail = run.then(
      () => undefined,
      () => undefined,
    );
    line.open++;
    this.#lines.set(key, line);
    try {
      return await run;
    } finally {
      line.open--;
      if (line.open === 0) this.#lines.delete(key);
    }
  }
}

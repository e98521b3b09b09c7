/** Lets only one deploy of a branch happen at a time; the others wait in the order of their arrival. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export class Turns {
  readonly #tails = new Map<string, { readonly done: Promise<void>; waiting: number }>();

  async take<T>(key: string, body: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const waiting = before === undefined ? 0 : before.waiting + 1;
    const max = limit("deploysWaitingMax");
    if (waiting > max) throw plinthError("TooManyConcurrentRequests", { detail: `${max} deploys of this branch wait already` });
    const run = before === undefined ? body() : before.done.then(body);
    const tail = {
      done: run.then(
        () => undefined,
        () => undefined,
      ),
      waiting,
    };
    this.#tails.set(key, tail);
    try {
      return await run;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}

/** Calls that the outside has and has not answered, in this life of the host. */
import type { Life } from "./simulated-time.ts";

export class CallsUnderWay {
  readonly #counts = new Map<string, number>();

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** What a host that is gone still does brings nothing about. */
  change(life: Life, key: string, by: 1 | -1): void {
    if (!life.isOver) this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  clear(): void {
    this.#counts.clear();
  }
}

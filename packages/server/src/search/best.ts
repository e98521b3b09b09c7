import type { Ranked } from "./fuse.ts";

/** Keeps the best of many. Of equals the earlier one is better. */
export class Best<T> {
  readonly #max: number;
  #kept: Ranked<T>[] = [];
  /** What is not above it is not among the best. */
  #floor = Number.NEGATIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
  }

  offer(item: T, score: number): void {
    if (score <= this.#floor) return;
    this.#kept.push({ item, score });
    if (this.#kept.length >= 4 * this.#max) this.#cut();
  }

  /** The best first. */
  list(): Ranked<T>[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort((a, b) => b.score - a.score);
    if (this.#kept.length < this.#max) return;
    this.#kept.length = this.#max;
    this.#floor = this.#kept.at(-1)?.score ?? this.#floor;
  }
}

/**
 * Keeps the number of label values of a metric bounded: function names come from users, and each new one costs
 * memory for good. The first ones get series of their own, later ones share `other`.
 */
export class LabelGuard {
  readonly #known = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  label(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return "other";
    this.#known.add(value);
    return value;
  }
}

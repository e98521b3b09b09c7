/** Random numbers from a seed (Mulberry32, public domain), so that a run can be repeated from what it printed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer in [from, to]. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)];
    if (value === undefined) throw new Error("nothing to pick from");
    return value;
  }
}

/** The seed of this run: from the environment to repeat one, else new. */
export function chooseSeed(): number {
  const given = process.env["PLINTH_TEST_SEED"];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/** Rounds of a test: a few in CI, many when PLINTH_TEST_LONG is set. */
export function rounds({ ci, long }: { readonly ci: number; readonly long: number }): number {
  return process.env["PLINTH_TEST_LONG"] === undefined ? ci : long;
}

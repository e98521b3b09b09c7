/** Counts work that hostile input can multiply, so that the host does a bounded part of it. */
import { plinthError } from "../errors.ts";

export class StepBudget {
  readonly #what: string;
  readonly #max: number;
  #used = 0;

  /** `what` begins the message of the LimitExceeded that `spend` throws. */
  constructor(what: string, max: number) {
    this.#what = what;
    this.#max = max;
  }

  spend(steps: number): void {
    this.#used += steps;
    if (this.#used > this.#max) throw plinthError("LimitExceeded", { what: this.#what, actual: this.#used, max: this.#max });
  }
}

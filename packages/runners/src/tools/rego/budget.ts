/** What an evaluation may spend: every step costs one, and work on texts and collections costs by their size. */
import { PolicyError } from "./syntax.ts";

const STEPS_MAX = 2_000_000;
const CHARS_PER_STEP = 64;

export class Budget {
  #left = STEPS_MAX;

  take(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new PolicyError(`the policy takes more than ${STEPS_MAX} steps`);
  }

  /** Before a text of so many characters is made or read. */
  takeChars(chars: number): void {
    this.take(1 + Math.ceil(chars / CHARS_PER_STEP));
  }
}

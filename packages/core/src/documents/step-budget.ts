/**
 * Counts work that hostile input can multiply, so that the host does a bounded part of it: in all, and at
 * once. Whoever does the work begins a piece, does it without a pause, and pauses before the next one.
 */
import { plinthError } from "../errors.ts";

export interface StepLimits {
  /** Begins the message of the LimitExceeded that `spend` throws. */
  readonly what: string;
  /** Steps of all pieces. */
  readonly max: number;
  /** The same for one piece. */
  readonly pieceWhat: string;
  readonly pieceMax: number;
}

export class StepBudget {
  readonly #limits: StepLimits;
  #used = 0;
  #pieceStart = 0;
  #stop: number;

  constructor(limits: StepLimits) {
    this.#limits = limits;
    this.#stop = Math.min(limits.pieceMax, limits.max);
  }

  /** Steps of all pieces, those that went over the limit included. */
  get used(): number {
    return this.#used;
  }

  startPiece(): void {
    this.#pieceStart = this.#used;
    this.#stop = Math.min(this.#used + this.#limits.pieceMax, this.#limits.max);
  }

  spend(steps: number): void {
    this.#used += steps;
    if (this.#used > this.#stop) throw this.#exceeded();
  }

  #exceeded(): Error {
    const { what, max, pieceWhat, pieceMax } = this.#limits;
    if (this.#used > max) return plinthError("LimitExceeded", { what, actual: this.#used, max });
    return plinthError("LimitExceeded", { what: pieceWhat, actual: this.#used - this.#pieceStart, max: pieceMax });
  }
}

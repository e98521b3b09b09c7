/** The production runtime: the machine's clocks, random numbers and timers. */
import { randomBytes } from "node:crypto";
import type { Runtime } from "./runtime.ts";

/** The longest delay that setTimeout can count. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function createSystemRuntime(): Runtime {
  const runtime: Runtime = {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    randomBytes: (length) => randomBytes(length),
    random: () => Math.random(),
    timer: (delayMs, callback) => {
      const timer = new LongTimer(delayMs, callback);
      return { cancel: () => timer.cancel() };
    },
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const abort = () => {
          timer.cancel();
          reject(signal?.reason);
        };
        const timer = runtime.timer(delayMs, () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        });
        if (signal?.aborted === true) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      }),
  };
  return runtime;
}

/** A timer of any length: it waits in pieces, measured on the clock that never jumps. */
class LongTimer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void) {
    this.#dueMs = performance.now() + delayMs;
    this.#callback = callback;
    this.#wait(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #wait(delayMs: number): void {
    const pieceMs = Math.min(Math.max(delayMs, 0), TIMER_MS_MAX);
    this.#timeout = setTimeout(() => {
      const leftMs = this.#dueMs - performance.now();
      if (leftMs >= 1) this.#wait(leftMs);
      else this.#callback();
    }, pieceMs);
  }
}

/**
 * Time and chance of a simulation: what is under way is a list of pieces of work, and the seed says which one goes on next. Nothing
 * else decides anything, so a seed is always the same run.
 */
import type { Runtime } from "../../../packages/server/src/runtime/runtime.ts";
import { Random } from "../random.ts";

/** One life of the host; what belongs to a life ends with it. */
export interface Life {
  readonly number: number;
  isOver: boolean;
}

interface Work {
  readonly life: Life | null;
  readonly text: string;
  readonly run: () => void;
}

interface Timer extends Work {
  readonly atMs: number;
}

const EPOCH_MS = 1_700_000_000_000;
const TRACE_LINES_MAX = 400;

export class SimulatedTime {
  readonly random: Random;
  readonly trace: string[] = [];
  /** Of all that happened: equal when two simulations were. */
  digest = 0;
  steps = 0;
  #monotonicMs = 0;
  #offsetMs = 0;
  readonly #works: Work[] = [];
  readonly #timers: Timer[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get monotonicMs(): number {
    return this.#monotonicMs;
  }

  get nowMs(): number {
    return EPOCH_MS + this.#offsetMs + Math.floor(this.#monotonicMs);
  }

  chance(share: number): boolean {
    return this.random.next() < share;
  }

  note(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.digest = (Math.imul(this.digest, 31) + text.charCodeAt(i)) | 0;
    this.trace.push(`${this.steps} ${this.nowMs - EPOCH_MS} ${text}`);
    if (this.trace.length > 2 * TRACE_LINES_MAX) this.trace.splice(0, TRACE_LINES_MAX);
  }

  /** Moves the clock of the machine and not the time that passes. */
  jump(byMs: number): void {
    this.#offsetMs = Math.max(-EPOCH_MS / 2, this.#offsetMs + byMs);
    this.note(`the clock jumps by ${byMs}`);
  }

  pass(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** Goes on some time from now, in an order that the seed says. */
  later(life: Life | null, text: string, run: () => void): void {
    if (life?.isOver !== true) this.#works.push({ life, text, run });
  }

  delay(life: Life, text: string): Promise<void> {
    return new Promise((resolve) => this.later(life, text, resolve));
  }

  timer(life: Life, delayMs: number, run: () => void): { cancel(): void } {
    const timer: Timer = { life, text: "timer", run, atMs: this.#monotonicMs + delayMs };
    if (!life.isOver) this.#timers.push(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  end(life: Life): void {
    life.isOver = true;
    for (const list of [this.#works, this.#timers])
      for (let i = list.length - 1; i >= 0; i -= 1) if (list[i]?.life === life) list.splice(i, 1);
  }

  /** False when nothing is under way at this moment. */
  async goOn(): Promise<boolean> {
    this.steps += 1;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#monotonicMs);
    const count = this.#works.length + due.length;
    if (count === 0) return false;
    const index = this.random.integer(0, count - 1);
    const work = index < this.#works.length ? this.#works.splice(index, 1)[0] : due[index - this.#works.length];
    if (work === undefined) return false;
    if ("atMs" in work) this.#timers.splice(this.#timers.indexOf(work as Timer), 1);
    this.note(work.text);
    work.run();
    await settled();
    return true;
  }

  /** Milliseconds until a timer is due; infinite without one. */
  get untilTimerMs(): number {
    return Math.max(0, Math.min(...this.#timers.map(({ atMs }) => atMs)) - this.#monotonicMs);
  }

  get hasWork(): boolean {
    return this.#works.length > 0;
  }

  runtime(life: Life): Runtime {
    return {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.#monotonicMs,
      random: () => this.random.next(),
      randomBytes: (length) => Uint8Array.from({ length }, () => this.random.integer(0, 255)),
      timer: (delayMs, callback) => this.timer(life, delayMs, callback),
      sleep: (delayMs, signal) => this.#sleep(life, delayMs, signal),
    };
  }

  #sleep(life: Life, delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const waiting = this.timer(life, delayMs, resolve);
      signal?.addEventListener(
        "abort",
        () => {
          waiting.cancel();
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }
}

/** All that follows at once has happened: promises go on before the next turn of the event loop. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

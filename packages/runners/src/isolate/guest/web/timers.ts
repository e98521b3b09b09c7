/** Timers of actions. They end with the call; an error in a callback ends the call. */
import { heldBridge } from "./held-bridge.ts";

type Callback = (...args: unknown[]) => unknown;

/** Interval → the timer that is set for its next turn. */
const intervals = new Map<number, number>();
/** Intervals have numbers of their own, below those of timers. */
let lastInterval = 0;

export function setTimeout(callback: Callback, delayMs?: unknown, ...args: unknown[]): number {
  const bridge = heldBridge();
  bridge.requireAction("setTimeout");
  return bridge.setTimer(delay(delayMs), guarded(callback, args));
}

export function setInterval(callback: Callback, delayMs?: unknown, ...args: unknown[]): number {
  const bridge = heldBridge();
  bridge.requireAction("setInterval");
  const run = guarded(callback, args);
  const interval = --lastInterval;
  const again = (): void => {
    const timer = bridge.setTimer(Math.max(delay(delayMs), 1), () => {
      run();
      if (intervals.has(interval)) again();
    });
    intervals.set(interval, timer);
  };
  again();
  return interval;
}

export function clearTimeout(id?: unknown): void {
  if (id === undefined || id === null) return;
  const number = Number(id);
  const timer = intervals.get(number) ?? number;
  intervals.delete(number);
  heldBridge().clearTimer(timer);
}

export const clearInterval = { clearInterval: (id?: unknown): void => clearTimeout(id) }.clearInterval;

export const queueMicrotask = {
  queueMicrotask(callback: Callback): void {
    const run = guarded(callback, []);
    void Promise.resolve().then(run);
  },
}.queueMicrotask;

function guarded(callback: Callback, args: readonly unknown[]): () => void {
  if (typeof callback !== "function") throw new TypeError('The "callback" argument must be of type function.');
  return () => {
    try {
      callback.apply(globalThis, [...args]);
    } catch (error) {
      heldBridge().reportUncaught(error);
    }
  };
}

/** Node and browsers take whatever is not a delay for none; 2³¹−1 ms is their longest. */
function delay(value: unknown): number {
  const ms = Math.trunc(Number(value));
  return ms >= 0 && ms <= 0x7fff_ffff ? ms : 0;
}

import { randomFillSync } from "node:crypto";
import { assert } from "@plinth/core/assert.ts";
import type { Runtime } from "./runtime.ts";

/** setTimeout fires at once when the delay does not fit into 31 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The Runtime of production: the clocks, the randomness and the timers of the operating system. */
export function createSystemRuntime(): Runtime {
  return { nowMs, monotonicMs, randomBytes, random, timer, sleep };
}

function nowMs(): number {
  return Date.now();
}

function monotonicMs(): number {
  return performance.now();
}

function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

function random(): number {
  return Math.random();
}

/**
 * Long delays are a chain of short ones. Each link looks at the deadline again, so the callback comes
 * never early: setTimeout counts whole milliseconds and may fire a fraction before the clock says so.
 */
function timer(delayMs: number, callback: () => void): { cancel(): void } {
  assert(!Number.isNaN(delayMs), "a timer needs a delay");
  const deadlineMs = monotonicMs() + delayMs;
  let handle: NodeJS.Timeout;
  const wait = (remainingMs: number): void => {
    handle = setTimeout(arrive, Math.min(Math.max(Math.ceil(remainingMs), 0), LONGEST_TIMEOUT_MS));
  };
  const arrive = (): void => {
    const remainingMs = deadlineMs - monotonicMs();
    if (remainingMs > 0) wait(remainingMs);
    else callback();
  };
  wait(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      waiting.cancel();
      reject(signal?.reason);
    };
    const waiting = timer(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

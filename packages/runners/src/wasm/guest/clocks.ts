/** The clocks of a call: realtime begins at the time that the host gave it, the others at zero. They step by milliseconds. */
import type { CallState } from "./call-state.ts";

const REALTIME = 0;
const MONOTONIC = 1;
const PROCESS_TIME = 2;
const THREAD_TIME = 3;
const MS_NS = 1_000_000n;

export function isClock(clock: number): boolean {
  return clock === REALTIME || clock === MONOTONIC || clock === PROCESS_TIME || clock === THREAD_TIME;
}

/** Nanoseconds; undefined for a clock that does not exist. */
export function clockTime(state: CallState, clock: number): bigint | undefined {
  if (!isClock(clock)) return undefined;
  const elapsedMs = state.elapsedMs();
  return BigInt(Math.floor(clock === REALTIME ? state.settings.nowMs + elapsedMs : elapsedMs)) * MS_NS;
}

export function clockResolution(clock: number): bigint | undefined {
  return isClock(clock) ? MS_NS : undefined;
}

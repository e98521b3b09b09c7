/**
 * Port: all that is not deterministic. Production uses `system-runtime.ts`, simulations a clock of their
 * own. Nothing else in the server may read a clock, draw a random number or set a timer.
 */
export interface Runtime {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds on a clock that never jumps; for deadlines and durations. */
  monotonicMs(): number;
  randomBytes(length: number): Uint8Array;
  /** In [0, 1). For jitter only. */
  random(): number;
  /** Calls `callback` once after `delayMs` (any length, also beyond the 24 days of setTimeout). */
  timer(delayMs: number, callback: () => void): { cancel(): void };
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A clock that follows the machine's when that is moved on, and goes on as before when that is moved back. */
import type { Runtime } from "./runtime.ts";

/** Milliseconds since 1970, for what has to happen so long after something: they never go back, nor slower than time does. */
export function forwardClock(runtime: Pick<Runtime, "nowMs" | "monotonicMs">): () => number {
  let last = { nowMs: runtime.nowMs(), atMs: runtime.monotonicMs() };
  return () => {
    const atMs = runtime.monotonicMs();
    last = { nowMs: Math.max(runtime.nowMs(), last.nowMs + atMs - last.atMs), atMs };
    return Math.floor(last.nowMs);
  };
}

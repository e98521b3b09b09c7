/** Ids of invocations: 12 hexadecimal digits of the time, then 20 at random, so that records lie in the order of their age. */
import type { Runtime } from "../runtime/runtime.ts";

const ID = /^[0-9a-f]{32}$/;
const TIME_DIGITS = 12;

export function newInvocationId(runtime: Runtime): string {
  return timePrefix(runtime.nowMs()) + runtime.randomBytes(10).toHex();
}

export function isInvocationId(text: string): boolean {
  return ID.test(text);
}

/** Ids of invocations that began before `ms` sort below this text, later ones above it. */
export function timePrefix(ms: number): string {
  return Math.max(0, Math.floor(ms)).toString(16).padStart(TIME_DIGITS, "0");
}

/** When an id was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, TIME_DIGITS), 16);
}

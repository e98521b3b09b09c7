/** poll_oneoff: sleeps until the first clock that it is asked about. Streams are always ready. The time of the call goes on. */
import type { CallState } from "./call-state.ts";
import { clockTime, isClock } from "./clocks.ts";
import { ERRNO } from "./errno.ts";
import type { GuestMemory } from "./guest-memory.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const TYPE_CLOCK = 0;
const TYPE_READ = 1;
const TYPE_WRITE = 2;
const FLAG_ABSOLUTE = 1;
const MS_NS = 1_000_000;
/** A sleep is cut into such pieces; the end of the call's time comes before many of them. */
const PIECE_MS = 1000;

interface Subscription {
  readonly userData: bigint;
  readonly type: number;
  /** Until it is ready; 0 when it is already. */
  readonly waitMs: number;
  readonly errno: number;
}

export function pollOneoff(
  state: CallState,
  memory: GuestMemory,
  at: { readonly subscriptions: number; readonly events: number; readonly count: number; readonly result: number },
): number {
  if (at.count === 0 || at.count > state.settings.pollSubscriptionsMax) return ERRNO.inval;
  // Every place is looked at before the sleep.
  memory.bytes(at.events, at.count * EVENT_BYTES);
  memory.bytes(at.result, 4);
  const subscriptions: Subscription[] = [];
  for (let i = 0; i < at.count; i++) {
    const subscription = readSubscription(state, memory, (at.subscriptions >>> 0) + i * SUBSCRIPTION_BYTES);
    if (subscription === undefined) return ERRNO.inval;
    subscriptions.push(subscription);
  }
  const waitMs = Math.min(...subscriptions.map((each) => each.waitMs));
  if (waitMs > 0) sleep(waitMs);
  const ready = subscriptions.filter((each) => each.waitMs <= waitMs);
  for (const [index, each] of ready.entries()) putEvent(memory, (at.events >>> 0) + index * EVENT_BYTES, each);
  memory.setU32(at.result, ready.length);
  return ERRNO.success;
}

function readSubscription(state: CallState, memory: GuestMemory, at: number): Subscription | undefined {
  const userData = memory.u64(at);
  const type = memory.u8(at + 8);
  if (type === TYPE_READ || type === TYPE_WRITE)
    return { userData, type, waitMs: 0, errno: state.open.has(memory.u32(at + 16)) ? ERRNO.success : ERRNO.badf };
  if (type !== TYPE_CLOCK) return undefined;
  const clock = memory.u32(at + 16);
  if (!isClock(clock)) return { userData, type, waitMs: 0, errno: ERRNO.inval };
  const timeoutNs = memory.u64(at + 24);
  const isAbsolute = (memory.u16(at + 40) & FLAG_ABSOLUTE) !== 0;
  const waitNs = timeoutNs - (isAbsolute ? (clockTime(state, clock) ?? 0n) : 0n);
  return { userData, type, waitMs: Math.max(0, Number(waitNs) / MS_NS), errno: ERRNO.success };
}

function putEvent(memory: GuestMemory, at: number, { userData, type, errno }: Subscription): void {
  memory.bytes(at, EVENT_BYTES).fill(0);
  memory.setU64(at, userData);
  memory.setU32(at + 8, errno | (type << 16));
  // How much can be read or written nobody knows; something can.
  if (type !== TYPE_CLOCK) memory.setU64(at + 16, 1n);
}

function sleep(waitMs: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const endMs = Date.now() + waitMs;
  for (let leftMs = waitMs; leftMs > 0; leftMs = endMs - Date.now()) Atomics.wait(cell, 0, 0, Math.min(leftMs, PIECE_MS));
}

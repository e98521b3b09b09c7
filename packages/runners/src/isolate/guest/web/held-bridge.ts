/** The bridge of this context, for parts that need it; held from the first touch of any web global. */
import type { GuestBridge } from "../bridge.ts";

let held: GuestBridge | undefined;

export function holdBridge(bridge: GuestBridge): void {
  held = bridge;
}

export function heldBridge(): GuestBridge {
  if (held === undefined) throw new Error("no web global was touched yet");
  return held;
}

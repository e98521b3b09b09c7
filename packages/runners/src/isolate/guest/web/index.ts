/** The web globals of the guest: name → function that makes the value when it is first touched. */
import type { GuestGlobals } from "../bridge.ts";

export const webGlobals: GuestGlobals = {};

/**
 * What the guest's globals are made from. Code under `guest/` runs inside a fresh V8 context, beside the
 * user's code: it has ECMAScript and nothing else, and everything it needs from outside comes through
 * this bridge. Only texts cross.
 */
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";

export type GuestKind = FunctionKind | "analyze";

export interface GuestBridge {
  /** Kind of the call. */
  readonly kind: GuestKind;
  /**
   * Throws the documented error ("Can't use what in queries and mutations. …") unless the call is in
   * the execution phase of an action or HTTP action. `what` is written as in `fetch()`.
   */
  requireAction(what: string): void;
  /** A call that the host performs (`HOST_OPS`, Convex syscalls). Rejects with an Error. Results settle in call order. */
  hostCall(op: string, argText: string): Promise<string>;
  /** An operation of `local-ops.ts`: the runner's own Node process performs it, inside the jail. */
  local(op: string, argText: string): Promise<string>;
  /** The same, while the guest waits; for short operations such as random bytes. */
  localSync(op: string, argText: string): string;
  /** Milliseconds since 1970: frozen in queries and mutations, the real clock in actions. */
  nowMs(): number;
  /** Milliseconds since the start of the call, for `performance.now()`: constant in queries and mutations. */
  elapsedMs(): number;
  /** Calls `callback` once after `ms`; only in actions (call `requireAction` first). Timers end with the call. */
  setTimer(ms: number, callback: () => void): number;
  clearTimer(timer: number): void;
  /** Ends the call with `error`, as an unhandled rejection does: for errors thrown in callbacks that nobody awaits. */
  reportUncaught(error: unknown): void;
  /** To be called before random numbers are handed out: the call is then not repeatable. */
  observeRandom(): void;
  /** Intrinsics as they were before user code ran; user code may replace the globals. */
  readonly intrinsics: GuestIntrinsics;
}

export interface GuestIntrinsics {
  readonly JSONparse: (text: string) => unknown;
  readonly JSONstringify: (value: unknown) => string;
}

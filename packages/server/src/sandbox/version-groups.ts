/** What the pool of versions knows of the versions it serves and of those who wait for them. */
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallEnd } from "./open-call.ts";
import { asError } from "./places.ts";
import type { Runner } from "./runner.ts";
import type { RunnerLease, VersionCode } from "./sandbox.ts";
import { StartBreaker } from "./start-breaker.ts";
import type { VersionProcess } from "./version-process.ts";

/** The pool's own view of a lease; without a runner it only tells why the version cannot be run. */
export interface VersionLease extends RunnerLease {
  readonly runner: Pick<Runner, "run">;
}

export interface VersionWaiter {
  /** When it came, on the clock that never jumps. */
  readonly sinceMs: number;
  readonly resolve: (lease: VersionLease) => void;
  readonly reject: (reason: unknown) => void;
}

/** How the processes of a version are used. */
export type Use =
  /** One call after another. */
  | "again"
  /** One call each. */
  | "once"
  /** One call each, from processes that belong to no tenant before. */
  | "inline";

export type Refusal = { readonly kind: "notLoaded"; readonly failure: CallEnd } | { readonly kind: "notPossible"; readonly error: unknown };

/** One version of one branch of a tenant; of inline code one runtime. */
export interface VersionGroup {
  readonly key: string;
  readonly tenant: string;
  readonly branch: string;
  /** The latest that was asked for; all of one digest are the same. */
  version: VersionCode;
  readonly use: Use;
  /** Keeps no process ready for calls to come. */
  readonly passing: boolean;
  readonly processes: Set<VersionProcess>;
  readonly waiting: VersionWaiter[];
  readonly breaker: StartBreaker;
  /** Why the last try to start a process failed, as calls in the pause after it are told. */
  refusal: Refusal | undefined;
  lastUsedMs: number;
}

/** Processes that have loaded inline code's program and belong to nobody yet. */
export interface Stock {
  readonly key: string;
  readonly version: VersionCode;
  readonly processes: Set<VersionProcess>;
  readonly breaker: StartBreaker;
}

/** Adds one who waits; when the signal fires first, it waits no longer and gets the signal's reason. */
export function addWaiter(
  group: VersionGroup,
  { sinceMs, resolve, reject, signal }: VersionWaiter & { readonly signal: AbortSignal },
): void {
  const waiter: VersionWaiter = {
    sinceMs,
    resolve: (lease) => {
      signal.removeEventListener("abort", abort);
      resolve(lease);
    },
    reject: (reason) => {
      signal.removeEventListener("abort", abort);
      reject(asError(reason));
    },
  };
  const abort = (): void => {
    const at = group.waiting.indexOf(waiter);
    if (at >= 0) group.waiting.splice(at, 1);
    waiter.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  group.waiting.push(waiter);
}

export function rejectAll(group: VersionGroup, error: unknown): void {
  for (const waiter of group.waiting.splice(0)) waiter.reject(error);
}

/**
 * How long those who wait go on without another process. Where calls are short, a process that serves one after the other is free
 * before a new one is ready, whose start takes the processor from all; the longer somebody waits, the more are started.
 */
export function patienceLeftMs(
  {
    use,
    processes,
    waiting,
  }: { readonly use: Use; readonly processes: ReadonlySet<unknown>; readonly waiting: readonly Pick<VersionWaiter, "sinceMs">[] },
  starting: number,
  nowMs: number,
): number {
  const first = waiting[0];
  if (use !== "again" || processes.size === starting || first === undefined) return 0;
  return Math.max(0, first.sinceMs + limit("packageStartPatienceMs") * (starting + 1) - nowMs);
}

export function newGroup(
  runtime: Runtime,
  options: Pick<VersionGroup, "key" | "tenant" | "branch" | "version" | "use" | "passing">,
): VersionGroup {
  return {
    ...options,
    processes: new Set(),
    waiting: [],
    breaker: new StartBreaker(runtime),
    refusal: undefined,
    lastUsedMs: runtime.monotonicMs(),
  };
}

/** What must be the same for a process to serve inline code. */
export function stockKey(version: VersionCode): string {
  return JSON.stringify([version.runtime, version.digest, version.package?.memoryBytesMax, version.package?.scratchBytes]);
}

/**
 * How the runner and its guest speak across the isolate's border: one function each way, and only texts
 * and numbers as arguments.
 *
 * The tables have no prototype because every context makes them: one of the common kind takes it half a
 * microsecond per name.
 */

/** Runner → guest: `enter(op, number, text, text)`. */
export const ENTER = {
  __proto__: null as never,
  /** The call's `post` function; given once, before user code runs. */
  install: 0,
  /** [module path] Evaluates a module in the import phase. */
  importModule: 1,
  /** [InvokeSettings as JSON, arguments] Starts the execution phase. */
  invoke: 2,
  /** number = id, [result] */
  reply: 3,
  /** number = id, [HostCallFailure as JSON] */
  replyFailed: 4,
  /** number = id */
  timer: 5,
  /** number = id, [result] */
  localReply: 6,
  /** number = id, [message] */
  localFailed: 7,
} as const;

/** Guest → runner: `post(code, number, text, text, text)`; only `localSync` has a result. */
export const POST = {
  __proto__: null as never,
  /** number = id, [op, argument] */
  call: 0,
  /** number = lines dropped before, [level, line, "1" when it was cut] */
  log: 1,
  /** number = observed bits, [result] */
  result: 2,
  /** number = observed bits, [message, stack, data] (empty = none) */
  failure: 3,
  /** number = id, [milliseconds] */
  setTimer: 4,
  /** number = id */
  clearTimer: 5,
  /** number = id, [op, argument] */
  local: 6,
  /** [op, argument] → "+" result or "-" message */
  localSync: 7,
} as const;

export const OBSERVED_TIME = 1;
export const OBSERVED_RANDOM = 2;
/** The context holds what no new session begins anew: it serves no other call. */
export const OBSERVED_UNSHARED = 4;

export type Post = (code: number, number: number, a: string, b: string, c: string) => string | undefined;
export type Enter = (op: number, number: number, a: string | Post, b: string) => void;

/** What the guest has to know of an invocation. Tables and variables are fetched when they are touched. */
export interface InvokeSettings {
  readonly kind: "query" | "mutation" | "action" | "httpAction" | "analyze";
  readonly path: string;
  readonly requestId: string;
  readonly seed: string;
  readonly nowMs: number;
  readonly snapshotNs: string | null;
  readonly resultBytes: number;
  readonly logLines: number;
  readonly logLineBytes: number;
  readonly pendingHostCalls: number;
  readonly timers: number;
}

/** Operations of `localSync` that the runner itself answers. */
export const RUNNER_OPS = {
  __proto__: null as never,
  /** ["import" while modules are imported] JSON of InvokeEnvelope.env. */
  environment: "plinth/environment",
  /** JSON of InvokeEnvelope.tables. */
  tables: "plinth/tables",
} as const;

/** Name of the user's script in stacks. */
export const VERSION_FILE = "plinth:version";
/** Name of the guest's script in stacks; its frames are never shown. */
export const GUEST_FILE = "plinth:guest";

/**
 * The protocol between the host and a runner: one tagged union per direction.
 *
 * A frame is an envelope (small JSON that the receiver parses strictly) and a body (UTF-8 bytes that
 * the host carries without looking inside: arguments, results, code). `frames.ts` is its byte form and
 * `parse.ts` the strict reader of what a runner sends. The transport is the inherited socketpair fd 3.
 *
 * Order of a conversation: host `hello` → runner `ready`; host `load` → runner `loaded` or `loadFailed`;
 * host `invoke` → any number of runner `call`/`log` and host `reply` → exactly one runner `result` or
 * `failure`. A `cancel` asks for an early `failure`. A runner speaks only of calls that are open; any
 * other frame is a violation and ends it.
 *
 * The isolate gets its code in the body of `load`. The other runtimes find the files of a version read-only under `/package` and
 * get a `PackageLoad` instead.
 *
 * History: 1 = first version. 2 = runtimes with a folder; handlers and inline code; policy verdicts; retry of handlers; contexts that
 * calls share.
 */
export const PROTOCOL_VERSION = 2;

/** What executes code. */
export type RuntimeName = "isolate" | "node" | "python" | "wasm";

/**
 * query, mutation, action and httpAction are functions of a functions folder; handler is a function `run(events)` of a package;
 * inline is code that comes with the call.
 */
export type FunctionKind = "query" | "mutation" | "action" | "httpAction" | "handler" | "inline";

/** Where runtimes with a folder find the files of the version. */
export const PACKAGE_FOLDER = "/package";
/** Where they may write, if the version declares it. */
export const SCRATCH_FOLDER = "/scratch";

/** Body of `load` for runtimes with a folder. */
export interface PackageLoad {
  /** Names of the functions that the manifest declares. */
  readonly functions: readonly string[];
  /** Variables that the code sees while it is evaluated; each call brings its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Python, inline code: modules below `code/site-packages` that it may import. */
  readonly modules?: readonly string[];
}

/** What stacks call inline JavaScript. Its first line is the third of the function that it is made into. */
export const SCRIPT_FILE = "plinth:script";
export const SCRIPT_LINES_BEFORE = 2;

/** Body of an `invoke` of kind inline. */
export interface InlineCode {
  readonly code: string;
  /** What the code sees as `inputs`. */
  readonly inputs: unknown;
  /** Name → secret; what the code sees as `keyrings`. */
  readonly keyrings: Readonly<Record<string, string>>;
  /** Fields of `inputs` that JavaScript sees by their own names too. */
  readonly names?: readonly string[];
  /** What it prints is sent as console lines too, as it is printed. */
  readonly streams?: boolean;
}

/** Result text of an `invoke` of kind inline. */
export interface InlineResult {
  /** The value of `result`, `output` or of the last expression, cut to the limits of inline results. */
  readonly result: unknown;
  readonly stdout: string;
  readonly stderr: string;
  /** Output or result were cut. */
  readonly truncated: boolean;
}

/** What a runner may spend on one call; the host enforces the same from outside. */
export interface CallLimits {
  /** JavaScript time, waits for host calls excluded. */
  readonly cpuMs: number;
  /** Time from invoke to result. */
  readonly wallMs: number;
  readonly heapBytes: number;
  readonly resultBytes: number;
  readonly logLines: number;
  readonly logLineBytes: number;
  readonly pendingHostCalls: number;
}

export interface InvokeEnvelope {
  readonly type: "invoke";
  /** Number of the call on this connection; chosen by the host, never reused. */
  readonly call: number;
  /** Digest of a loaded version. */
  readonly version: string;
  readonly kind: FunctionKind | "analyze";
  /** `dir/module:export`, for handlers the function's name; empty for `httpAction` (the router finds it), `analyze` and `inline`. */
  readonly path: string;
  /** Opaque id that user code sees as its request id. */
  readonly requestId: string;
  /** Seed of the call's random numbers: 32 hexadecimal digits. */
  readonly seed: string;
  /** Frozen time of queries and mutations; start time of actions. Milliseconds since 1970, may have a fraction. */
  readonly nowMs: number;
  /** Snapshot of the transaction in nanoseconds, as decimal text; absent in actions. */
  readonly snapshotNs?: string;
  /** Table name → table number, for `normalizeId`. */
  readonly tables: Readonly<Record<string, number>>;
  /** process.env of the call. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: CallLimits;
  /** Absent: the call gets a context of its own. Only isolates have contexts; others ignore it. */
  readonly contextOf?: SharedContext;
}

/**
 * Calls that may share a context, one after the other: what one leaves in the state of modules, the next may find. A runner need not
 * keep any. Calls share only with those of the same key, the same version and the same `env` but for `own`.
 */
export interface SharedContext {
  readonly key: string;
  /** What was kept under the key is given up, and the call begins in a fresh context. */
  readonly isAnew: boolean;
  /** Names of the variables in `env` that this call alone has. */
  readonly own: readonly string[];
}

/** Host → runner. Bodies are given in brackets. */
export type HostEnvelope =
  | { readonly type: "hello"; readonly protocol: number; readonly isolates: number; readonly heapBytes: number }
  /** [script of the version; JSON of PackageLoad for runtimes with a folder] */
  | { readonly type: "load"; readonly version: string }
  | { readonly type: "unload"; readonly version: string }
  /** [source map], only after the runner asked with `needSourceMap`. */
  | { readonly type: "sourceMap"; readonly version: string }
  /** [arguments: the JSON text of an array with one object (handlers: the event); for httpAction an HttpActionRequest, for inline an InlineCode] */
  | InvokeEnvelope
  /** [result text, or JSON of HostCallFailure when not ok] */
  | { readonly type: "reply"; readonly call: number; readonly id: number; readonly ok: boolean }
  | { readonly type: "cancel"; readonly call: number; readonly reason: "timeout" | "cancelled" };

/** Runner → host. Hostile until parsed by `parse.ts`. */
export type RunnerEnvelope =
  | { readonly type: "ready"; readonly protocol: number; readonly runtime: string; readonly engine: string }
  | { readonly type: "loaded"; readonly version: string }
  /** [JSON of RunnerFailure] */
  | { readonly type: "loadFailed"; readonly version: string }
  | { readonly type: "needSourceMap"; readonly version: string }
  /** A host call. [argument JSON text] */
  | { readonly type: "call"; readonly call: number; readonly id: number; readonly op: string }
  /** A console line. [text] `dropped` counts lines that the limit swallowed since the last one. */
  | { readonly type: "log"; readonly call: number; readonly level: LogLevel; readonly truncated: boolean; readonly dropped: number }
  /** [result JSON text] */
  | ({ readonly type: "result"; readonly call: number } & ObservedUse)
  /** [JSON of RunnerFailure] `final`: the process ends with the call and takes no other. */
  | ({ readonly type: "failure"; readonly call: number; readonly kind: RunnerFailureKind; readonly final?: boolean } & ObservedUse);

/** What the runner says of a call. Hints for caching and metrics, never for billing or limits. */
export interface ObservedUse {
  readonly heapBytes: number;
  readonly observedTime: boolean;
  readonly observedRandom: boolean;
}

export type LogLevel = "debug" | "log" | "info" | "warn" | "error";

/**
 * - error: user code threw, or the result cannot be sent.
 * - timeout, outOfMemory: a limit of the call ended it.
 * - neverResolves: the promise of the function can no longer settle.
 * - lost: another call's code ended the isolate in which this one waited; it has no result and is not at fault.
 * - policy: the code does what the policy for inline code forbids (exit code 3).
 * - invalid: the code or its settings cannot be run at all (exit code 4).
 */
export type RunnerFailureKind = "error" | "timeout" | "outOfMemory" | "neverResolves" | "lost" | "policy" | "invalid";

/** Body of `failure`, `loadFailed`. All of it is user-controlled text. */
export interface RunnerFailure {
  /** `Name: message`, at most 16 KiB. */
  readonly message: string;
  /** Frames, mapped to the author's sources where a map is known; one per line, each beginning with `    at `. */
  readonly stack?: string;
  /** convex JSON text of the data of a ConvexError. */
  readonly dataText?: string;
  /** The handler asked to be run again (FunctionExecutionError), with a rebuilt event when `refresh`. */
  readonly retry?: { readonly refresh: boolean };
}

/** Body of a `reply` that is not ok. */
export interface HostCallFailure {
  readonly code: string;
  readonly message: string;
  /** convex JSON text of a ConvexError that a called function threw. */
  readonly dataText?: string;
}

/** Body of an `invoke` of kind httpAction. */
export interface HttpActionRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBase64: string;
}

/** Result text of an httpAction. `routed: false` means that no route matched. */
export interface HttpActionResponse {
  readonly routed: boolean;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBase64: string;
}

/**
 * Result text of `analyze`: what the version declares. `schema` and `crons` are the JSON texts that
 * `schema.export()` and `crons.export()` return; all of it is user-controlled and checked again by the host.
 */
export interface AnalyzeResult {
  readonly functions: readonly AnalyzedFunction[];
  readonly schema: string | null;
  readonly crons: string | null;
  readonly httpRoutes: readonly { readonly path: string; readonly method: string }[];
}

export interface AnalyzedFunction {
  /** `dir/module:export`; the function's name for handlers */
  readonly path: string;
  readonly kind: FunctionKind;
  readonly visibility: "public" | "internal";
  /** Validator JSON text. */
  readonly args: string;
  /** Validator JSON text, or `null` as text. */
  readonly returns: string;
  /** Of actions that are operations: JSON text that describes it; see core/operations/function-operation.ts. */
  readonly operation?: string;
}

/**
 * Names of host calls besides the Convex syscalls (`1.0/…`, facts in docs/guide/functions.md). `queryStream`,
 * `queryCleanup`, `db/normalizeId` and `getSnapshotTs` are answered inside the runner; instead of
 * `1.0/queryStreamNext` the runner sends `queryNext`, which fetches several rows at once.
 */
export const HOST_OPS = {
  /** arg {query?, stream, rows}: `query` with the first request of a stream; result {rows: doc[], done}. */
  queryNext: "plinth/queryNext",
  /** arg {stream}: frees a stream; result null. */
  queryClose: "plinth/queryClose",
  /** arg FetchRequest, result FetchResponse (below). */
  fetch: "plinth/fetch",
  /** arg {value}: a partial result of an action, seen by those who stream the invocation. */
  emit: "plinth/emit",
  /** arg {name, contentType, bodyBase64}: keeps a file with the result of an action or handler; result {name, bytes}. */
  saveArtefact: "plinth/saveArtefact",
  /** arg {handle, offset, bytes}: a piece of a value that the call was given a handle of; result {bodyBase64, done}. */
  readValue: "plinth/readValue",
  /** arg {contentType}: begins a value that is written by pieces; result {writer}. */
  beginValue: "plinth/beginValue",
  /** arg {writer, offset, bodyBase64}: the next piece, where `offset` bytes are written; result null. */
  writeValue: "plinth/writeValue",
  /** arg {writer}: result the handle of the value, `{valueHandle, bytes, contentType}`, which the result of the call may hold. */
  finishValue: "plinth/finishValue",
} as const;

export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  /** null = no body */
  readonly bodyBase64: string | null;
  readonly redirect: "follow" | "error" | "manual";
}

export interface FetchResponse {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly redirected: boolean;
  readonly bodyBase64: string;
}

/**
 * The script of a version. It is one classic script, made by the CLI's bundler, that assigns
 * `globalThis.__plinthModules`: module path without extension (`dir/accounts`, `schema`, `http`, `crons`) →
 * a function that evaluates the module at its first call and returns its namespace object.
 */
export const MODULES_GLOBAL = "__plinthModules";

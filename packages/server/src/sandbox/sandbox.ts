/**
 * Port of the sandbox: where user code runs. The engine knows only this file; `pool.ts` implements it with runners that a
 * provider (`provider.ts`) starts, one tenant per runner for life.
 */
import type {
  AnalyzeResult,
  CallLimits,
  FunctionKind,
  LogLevel,
  RuntimeName,
  SharedContext,
} from "@plinth/core/protocol/runner-protocol.ts";

/** The code of one version, as the pool needs it. */
export interface VersionCode {
  /** sha-256 in hexadecimal: of the script, of the archive of a package; `inline-<runtime>` for inline code. */
  readonly digest: string;
  /** `isolate` when absent. */
  readonly runtime?: RuntimeName;
  /** Body of `load`: the script, or JSON of PackageLoad. Fetched when a runner does not have the version yet. */
  readonly script: () => Promise<string>;
  /** How a version of a package is run; absent for scripts of the isolate. */
  readonly package?: PackageCode;
  /** The source map, or null; fetched when the first stack trace is mapped. */
  readonly sourceMap: () => Promise<string | null>;
}

export interface PackageCode {
  /** The unpacked files, which the runner sees as `/package`; null for inline code. `release` when no runner uses them any more. */
  readonly folder: (() => Promise<{ readonly path: string; release(): void }>) | null;
  /** Whether a process serves several calls, one after the other. */
  readonly reuse: boolean;
  /** Data of one process. */
  readonly memoryBytesMax: number;
  /** Bytes of `/scratch`; 0 = nothing can be written. */
  readonly scratchBytes: number;
}

export interface CallRequest {
  readonly version: VersionCode;
  readonly kind: FunctionKind;
  readonly path: string;
  /** JSON text of an array with one object; an HttpActionRequest for httpAction. */
  readonly argsText: string;
  readonly requestId: string;
  readonly seed: string;
  readonly nowMs: number;
  readonly snapshotNs?: string;
  readonly tables: Readonly<Record<string, number>>;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: CallLimits;
  /** A context of its own when absent. */
  readonly contextOf?: SharedContext;
}

/** The host's side of one call. Every argument is hostile text. */
export interface CallHandler {
  /** Performs a host call. Resolves with its result JSON text; rejects with a PlinthError that user code then sees. */
  call(op: string, argText: string): Promise<string>;
  log(line: { readonly level: LogLevel; readonly text: string; readonly truncated: boolean; readonly dropped: number }): void;
}

export interface CallUsage {
  /** Measured by the host: from invoke to result. */
  readonly wallMs: number;
  /** Part of wallMs in which no host call was pending. */
  readonly userMs: number;
  readonly memoryBytes: number;
  readonly hostCalls: number;
}

export type CallOutcome = (
  | { readonly kind: "ok"; readonly valueText: string; readonly observedTime: boolean; readonly observedRandom: boolean }
  | {
      readonly kind: "error";
      readonly message: string;
      readonly stack?: string;
      readonly dataText?: string;
      readonly retry?: { readonly refresh: boolean };
    }
  /** Inline code does what its policy forbids (exit code 3), or cannot be run at all (4). */
  | { readonly kind: "policy" | "invalid"; readonly message: string }
  | { readonly kind: "neverResolves" }
  | { readonly kind: "timeout"; readonly maxMs: number }
  | { readonly kind: "outOfMemory"; readonly maxBytes: number }
  | { readonly kind: "security"; readonly reason: string }
  | { readonly kind: "cancelled" }
  /** The runner died or broke the protocol for a reason that is not this call's doing, or that cannot be known. */
  | { readonly kind: "lost"; readonly reason: string }
) & { readonly usage: CallUsage };

/** A place in a runner of one tenant. Nested calls of a function run on the lease of its caller. */
export interface RunnerLease {
  readonly tenant: string;
  readonly runnerId: string;
  /** The runner was started, or given to the tenant, for this lease. */
  readonly coldStart: boolean;
  run(request: CallRequest, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome>;
  /** Gives the place back. Always called, exactly once. */
  release(): void;
}

export interface PoolStatus {
  readonly runners: number;
  readonly warm: number;
  readonly busy: number;
  readonly memoryBytes: number;
  readonly spawned: number;
  readonly killed: number;
}

export interface Sandbox {
  /**
   * A place for a top-level call. Waits, in order, while all are taken; rejects with the reason of `signal`.
   * `lane` keeps actions, which may wait long, from taking the places of the queries and mutations that they call.
   */
  acquire(
    request: {
      readonly tenant: string;
      /** Runners of packages serve one branch only, because their processes may remember. */
      readonly branch: string;
      readonly lane: "transaction" | "action";
      readonly version: VersionCode;
      /** Key of `SharedContext`: of a call that had better come to the runner that the one before it had. */
      readonly contextKey?: string;
    },
    signal: AbortSignal,
  ): Promise<RunnerLease>;
  /** Evaluates a version's modules in a jail and says what it declares. Rejects with InvalidPackage when that fails. */
  analyze(request: {
    readonly tenant: string;
    readonly version: VersionCode;
    readonly env: Readonly<Record<string, string>>;
  }): Promise<AnalyzeResult>;
  /** Loads a version into the tenant's runners, so that its first call is warm. */
  warm(request: { readonly tenant: string; readonly branch: string; readonly version: VersionCode }): Promise<void>;
  /** Ends all runners of a tenant within a second (keys revoked, tenant deleted), or those that serve one branch only. */
  evict(tenant: string, branch?: string): Promise<void>;
  status(): PoolStatus;
  /** Ends every runner; nothing is left running when it resolves. */
  close(): Promise<void>;
}

/**
 * Port of the sandbox: where user code runs. The engine knows only this file; `pool.ts` implements it
 * with jailed processes (`jail/`), one tenant per process for life.
 */
import type { AnalyzeResult, CallLimits, FunctionKind, LogLevel } from "@plinth/core/protocol/runner-protocol.ts";

/** The code of one version, as the pool needs it. */
export interface VersionCode {
  /** sha-256 of the script in hexadecimal. */
  readonly digest: string;
  /** The script; fetched when a runner does not have the version yet. */
  readonly script: () => Promise<string>;
  /** The source map, or null; fetched when the first stack trace is mapped. */
  readonly sourceMap: () => Promise<string | null>;
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
  | { readonly kind: "error"; readonly message: string; readonly stack?: string; readonly dataText?: string }
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
    request: { readonly tenant: string; readonly lane: "transaction" | "action"; readonly version: VersionCode },
    signal: AbortSignal,
  ): Promise<RunnerLease>;
  /** Evaluates a version's modules in a jail and says what it declares. Rejects with InvalidPackage when that fails. */
  analyze(request: {
    readonly tenant: string;
    readonly version: VersionCode;
    readonly env: Readonly<Record<string, string>>;
  }): Promise<AnalyzeResult>;
  /** Loads a version into the tenant's runners, so that its first call is warm. */
  warm(request: { readonly tenant: string; readonly version: VersionCode }): Promise<void>;
  /** Ends all runners of a tenant within a second (keys revoked, tenant deleted). */
  evict(tenant: string): Promise<void>;
  status(): PoolStatus;
  /** Ends every runner; nothing is left running when it resolves. */
  close(): Promise<void>;
}

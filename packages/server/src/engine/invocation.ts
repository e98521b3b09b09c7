/**
 * What the engine takes and returns. Every way to start code makes an `InvocationRequest`.
 */
import type { FunctionKind, LogLevel } from "@plinth/core/protocol/runner-protocol.ts";
import type { PlinthError } from "@plinth/core/errors.ts";
import type { Transaction } from "../database/database.ts";
import type { Timestamp } from "../store/store.ts";
import type { ModalityName } from "../modalities/modality.ts";
import type { CallBodies } from "./call-bodies.ts";
import type { CallValues } from "./call-values.ts";
import type { HandlerSubject } from "./handler-event.ts";
import type { Artefact } from "./result-sink.ts";
import type { StepOfRun } from "./step-of-run.ts";
import type { TraceContext } from "../telemetry/trace.ts";

export type KeyScope = "admin" | "deploy" | "invoke" | "read";

/** Who calls. `identity` is the JSON that `ctx.auth.getUserIdentity()` returns. */
export interface Actor {
  readonly kind: "anonymous" | "key" | "function" | "schedule" | "service";
  readonly keyId?: string;
  /** Of service accounts of snap-ins: what their token may do, and for whom. Their `scopes` are empty. */
  readonly service?: ServiceActor;
  readonly scopes: readonly KeyScope[];
  readonly identity?: Readonly<Record<string, unknown>>;
  /** How many events and calls back lie above what it does (`cause-depth.ts`); none when absent. */
  readonly causeDepth?: number;
}

/** A service account that calls with its token. */
export interface ServiceActor {
  readonly account: string;
  readonly snapInId: string;
  /** The user for whom it acts; null when it acts for itself. */
  readonly user: string | null;
  /** `object:permission`. */
  readonly objectScopes: readonly string[];
}

/** What started a call: a door, a timer, another call, or a modality. */
export type InvocationSource =
  | "convex"
  | "native"
  | "httpAction"
  | "schedule"
  | "cron"
  | "function"
  | "hook"
  | "grpc"
  | "mcp"
  | "snapIn"
  | ModalityName;

export interface InvocationRequest {
  readonly tenant: string;
  readonly branch: string;
  readonly actor: Actor;
  readonly source: InvocationSource;
  /**
   * `dir/module:export`; `module` alone means its default export. `@<package>/<function>` for handlers, `$inline/<language>` for
   * inline code, `$operation/<slug>` for native operations. Ignored for httpAction.
   */
  readonly path: string;
  /** Digest of the version to run; the head's when absent. Calls that a call causes run with its version. */
  readonly version?: string;
  /** Inline code of flows: digest of the bundle of packages that it uses. No door takes it from callers. */
  readonly bundle?: string;
  /** The kind that the door asks for; any when absent. */
  readonly kind?: FunctionKind;
  /** Whether internal functions may be called (admin keys, schedules, functions). */
  readonly internalAllowed: boolean;
  /** JSON text of the arguments object, of an HttpActionRequest, of a handler's payload or of InlineRequest. Hostile. */
  readonly argsText: string;
  /** Handlers: what the call is about. */
  readonly subject?: HandlerSubject;
  /** Of steps of flows. Calls with it are not stored. */
  readonly step?: StepOfRun;
  readonly priority: Priority;
  /** Milliseconds from now until the caller gives up. */
  readonly deadlineMs?: number;
  readonly idempotencyKey?: string;
  /** With a key: what another call has to be equal in to be the same one; the arguments when absent. */
  readonly comparedText?: string;
  /** Queries only: read this moment. */
  readonly at?: Timestamp;
  /** The invocation that caused this one, and how many lie above it. */
  readonly parent?: { readonly id: string; readonly depth: number };
  /** The span that causes it. */
  readonly trace?: TraceContext;
}

export type Priority = "interactive" | "normal" | "background";

/** Why work waits. Shown in the record, in metrics and in errors. */
export type WaitReason =
  | "tenantQueries"
  | "tenantMutations"
  | "tenantActions" // the tenant's own concurrency limit
  | "hostCapacity" // all places of the host are taken
  | "noRunner" // a runner is being started
  | "conflictBackoff"
  | "retryBackoff"
  | "scheduled" // its time has not come
  | "draining"; // the host shuts down

export interface InvocationUsage {
  readonly queueMs: number;
  readonly executionMs: number;
  readonly userMs: number;
  readonly memoryBytes: number;
  readonly attempts: number;
  readonly conflicts: number;
  readonly coldStart: boolean;
  readonly cached: boolean;
  readonly databaseReadBytes: number;
  readonly databaseWriteBytes: number;
  readonly documentsRead: number;
  readonly documentsWritten: number;
  /** Bytes of requests to other systems and of their answers. */
  readonly egressBytes: number;
  /** What it costs by the host's prices, in billionths of the currency's unit. */
  readonly costNanos: number;
}

export interface LogLine {
  readonly level: LogLevel;
  /** Escaped: no control characters but tab and newline. */
  readonly text: string;
  readonly atMs: number;
}

export type InvocationOutcome = {
  readonly id: string;
  /** 32 hexadecimal digits: of the trace that the caller is in; the id of the topmost invocation where there is none. */
  readonly traceId: string;
  readonly functionPath: string;
  readonly version: string;
  readonly logs: readonly LogLine[];
  readonly logsDropped: number;
  readonly usage: InvocationUsage;
} & (
  | { readonly status: "succeeded"; /** convex JSON text */ readonly valueText: string; /** commit or snapshot */ readonly ts: Timestamp }
  | { readonly status: "failed"; readonly error: PlinthError; /** mapped frames */ readonly stack?: string }
);

/** What those who watch an invocation see, in order; the last one is `done`. */
export type InvocationEvent =
  | { readonly type: "state"; readonly state: InvocationState; readonly reason?: WaitReason }
  | { readonly type: "log"; readonly line: LogLine }
  | { readonly type: "partial"; readonly valueText: string }
  | { readonly type: "done"; readonly outcome: InvocationOutcome };

export type InvocationState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** The stored record of an invocation. */
export interface InvocationRecord {
  readonly id: string;
  readonly tenant: string;
  readonly branch: string;
  readonly functionPath: string;
  readonly kind: FunctionKind;
  readonly version: string;
  readonly source: InvocationRequest["source"];
  /** Absent in records of older hosts. */
  readonly traceId?: string;
  readonly state: InvocationState;
  readonly waitReason?: WaitReason;
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly finishedMs?: number;
  readonly valueText?: string;
  /** In place of `valueText` when it is large: digest of the blob that holds it. */
  readonly valueBlob?: string;
  readonly artefacts?: readonly Artefact[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly next?: string;
    readonly stack?: string;
    readonly dataText?: string;
  };
  readonly logs: readonly LogLine[];
  readonly logsDropped: number;
  readonly usage?: InvocationUsage;
  /** Grows with each owner; an owner with an older token cannot finish the work. */
  readonly fencingToken: number;
}

export interface InvokeOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  /** Waits for a place as long as its deadline allows. */
  readonly patient?: boolean;
  /** Of native code: large bodies that go with the call. */
  readonly bodies?: CallBodies;
  /** Of actions and handlers: what they read and write by pieces. */
  readonly values?: CallValues;
  /**
   * Of mutations: runs in the transaction of each attempt, after the function has succeeded. What it writes commits with the
   * function's writes or not at all; when it throws, nothing does.
   */
  readonly withCommit?: (transaction: Transaction, valueText: string) => Promise<void>;
}

export interface Engine {
  /** Runs a call and waits for its end. Rejects with a PlinthError when it was not run at all; a failure of the function is an outcome. */
  invoke(request: InvocationRequest, options?: InvokeOptions): Promise<InvocationOutcome>;
  /** Stores a call durably, to be run when a place is free; resolves after the commit. */
  enqueue(request: InvocationRequest): Promise<{ readonly id: string }>;
  /** The same for calls of one branch, in one commit: all of them are stored, or none. */
  enqueueAll(requests: readonly InvocationRequest[]): Promise<readonly { readonly id: string }[]>;
  get(scope: { readonly tenant: string; readonly branch: string }, id: string): Promise<InvocationRecord | undefined>;
  /** A file that an invocation left, by its name. */
  artefact(
    scope: { readonly tenant: string; readonly branch: string },
    id: string,
    name: string,
  ): Promise<{ readonly artefact: Artefact; readonly body: Buffer } | undefined>;
  /** Past and future events of a stored or running invocation, ended by `done`. */
  watch(scope: { readonly tenant: string; readonly branch: string }, id: string, signal: AbortSignal): AsyncIterable<InvocationEvent>;
  cancel(scope: { readonly tenant: string; readonly branch: string }, id: string): Promise<boolean>;
  /** Ends all calls of a branch that is served no more; when it resolves, none of them writes anything. */
  endBranch(scope: { readonly tenant: string; readonly branch: string }): Promise<void>;
}

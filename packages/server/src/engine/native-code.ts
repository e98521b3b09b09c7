/**
 * Code of the host that is called like a function: native operations. It takes the same path as user code (intake, admission, a
 * transaction with its retries, records, limits), only the runner is not there.
 *
 * N1 The path is `$operation/<slug>`; nothing else resolves to native code, and no user text is evaluated by it.
 * N2 A native query or mutation reads and writes through its transaction alone and may be run again on a conflict.
 * N3 A native action reaches other systems through `fetch` alone, which is the egress guard.
 */
import type { Value } from "@plinth/core/documents/values.ts";
import type { FetchRequest, LogLevel } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope, Transaction } from "../database/database.ts";
import type { Fetched } from "../sandbox/egress.ts";
import type { CallBodies } from "./call-bodies.ts";
import type { InvocationEvent, InvocationOutcome, InvocationRequest } from "./invocation.ts";

export interface NativeCode {
  readonly kind: "query" | "mutation" | "action";
  /** Actions: how long it may take; the limit of actions when absent. */
  readonly wallMs?: number;
  /** Its text was read as that of a value when it was made, and need not be again. */
  readonly isRead?: true;
  /** Returns convex JSON text. A PlinthError whose fault is the caller's or the function's is the call's failure. */
  readonly run: (context: NativeContext) => Promise<string>;
}

export interface NativeContext {
  readonly scope: Scope;
  readonly request: InvocationRequest;
  readonly invocation: string;
  readonly args: Value;
  /** Of queries and mutations. */
  readonly transaction?: Transaction;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly log: (level: LogLevel, text: string) => void;
  /** A partial result for those who stream the call. */
  readonly emit: (valueText: string) => void;
  /** The request is given up when `signal` aborts, and with the call. */
  readonly fetch: (request: FetchRequest, options?: { readonly signal?: AbortSignal; readonly bodies?: CallBodies }) => Promise<Fetched>;
  /** What the caller gave beside the arguments. */
  readonly bodies?: CallBodies;
  /** Actions: calls another function, or inline code, as a part of this call: the same version rules, depth and deadline. */
  readonly call: (
    request: Pick<InvocationRequest, "path" | "argsText" | "subject" | "bundle">,
    options?: { readonly onEvent?: (event: InvocationEvent) => void },
  ) => Promise<InvocationOutcome>;
}

export interface NativeCodes {
  /** The code of a path `$operation/<slug>` on a branch; undefined when there is none. */
  resolve(scope: Scope, path: string): Promise<NativeCode | undefined>;
}

const PREFIX = "$operation/";

export function isNativePath(path: string): boolean {
  return path.startsWith(PREFIX);
}

export function nativePath(slug: string): string {
  return `${PREFIX}${slug}`;
}

/** Rows of the engine, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import { ERRORS, PlinthError, type ErrorCode } from "@plinth/core/errors.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { InvocationOutcome, InvocationRecord, InvocationRequest, Priority } from "./invocation.ts";

/** A stored call that has not ended. One row per call, small, so that a start can read them all. */
export interface QueueRow {
  readonly kind: FunctionKind;
  readonly priority: Priority;
  readonly state: "queued" | "running";
  readonly createdMs: number;
  /** Runs that ended without a result. */
  readonly attempts: number;
  /** Of the request, so that a start can count them without reading it. */
  readonly argsBytes: number;
  /** Grows each time the work is given to an owner. */
  readonly fencingToken: number;
}

/** What a stored call runs with. */
export interface StoredRequest {
  readonly request: InvocationRequest;
  /** When its caller gives up, in milliseconds since 1970. */
  readonly deadlineAtMs?: number;
}

/** An error of the registry as it is stored. */
export interface StoredError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
  readonly dataText?: string;
}

type Stored<Outcome> = Outcome extends { readonly status: "failed" } ? Omit<Outcome, "error"> & { readonly error: StoredError } : Outcome;
export type StoredOutcome = Stored<InvocationOutcome>;

/** First use of an idempotency key. `started`: an action began and has no outcome yet. */
export interface IdempotencyRow {
  /** Digest of the function and its arguments. */
  readonly fingerprint: string;
  readonly createdMs: number;
  readonly result:
    | { readonly kind: "started"; readonly id: string }
    | { readonly kind: "enqueued"; readonly id: string }
    | { readonly kind: "finished"; readonly outcome: StoredOutcome };
}

export function storeError(error: PlinthError): StoredError {
  return {
    code: error.code,
    message: error.message,
    next: error.next,
    ...(error.dataText === undefined ? {} : { dataText: error.dataText }),
  };
}

/** An error as it was, without asking for the details that its text was made of. */
export function restoreError(stored: StoredError): PlinthError {
  const error = new PlinthError(stored.code, {}, stored.dataText === undefined ? {} : { dataText: stored.dataText });
  error.message = stored.message;
  return error;
}

export function storeOutcome(outcome: InvocationOutcome): StoredOutcome {
  return outcome.status === "succeeded" ? outcome : { ...outcome, error: storeError(outcome.error) };
}

export function restoreOutcome(stored: StoredOutcome): InvocationOutcome {
  return stored.status === "succeeded" ? stored : { ...stored, error: restoreError(stored.error) };
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

export function parseInvocationRecord(json: unknown): InvocationRecord {
  const row = json as InvocationRecord;
  assert(typeof row.id === "string" && typeof row.state === "string" && Array.isArray(row.logs), "a stored invocation has its fields");
  return row;
}

export function parseQueueRow(json: unknown): QueueRow {
  // Entries of older hosts do not say how many bytes they have.
  const row = json as Omit<QueueRow, "argsBytes"> & Partial<Pick<QueueRow, "argsBytes">>;
  assert(
    typeof row.kind === "string" && Number.isInteger(row.fencingToken) && Number.isInteger(row.attempts),
    "a stored queue entry has its fields",
  );
  return { ...row, argsBytes: row.argsBytes ?? 0 };
}

export function parseStoredRequest(json: unknown): StoredRequest {
  const row = json as StoredRequest;
  assert(typeof row.request.argsText === "string" && typeof row.request.path === "string", "a stored request has its fields");
  return row;
}

export function parseIdempotencyRow(json: unknown): IdempotencyRow {
  const row = json as IdempotencyRow;
  assert(typeof row.fingerprint === "string" && typeof row.result.kind === "string", "a stored idempotency key has its fields");
  return row;
}

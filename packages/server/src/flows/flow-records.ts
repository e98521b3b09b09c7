/** Rows of flows and runs, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { StoredValue } from "@plinth/core/flow/value.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import type { Actor, InvocationSource } from "../engine/invocation.ts";
import type { RunSummary } from "./flows.ts";

/** A flow by its name. */
export interface FlowRow {
  readonly name: string;
  readonly description: string;
  readonly trigger: string;
  readonly version: string;
  readonly isOn: boolean;
  /** Of the latest entry in its ledger. */
  readonly seq: number;
}

/** A definition by its digest; never changed. */
export interface FlowVersionRow {
  readonly definition: JsonObject;
}

/** One move of a flow's head; never changed. */
export interface FlowLedgerRow {
  readonly version: string;
  readonly createdMs: number;
  readonly note: string | null;
}

/** Somebody may answer for the step `key`. */
export interface OpenAnswer {
  readonly key: string;
  readonly node: string;
  readonly kind: "callback" | "approval";
  /** What its token follows from (T1 of answer-tokens.ts). */
  readonly seed?: string;
  /** The token itself, in rows that an earlier version of the host wrote. */
  readonly token?: string;
  readonly untilMs: number;
  /** Whose token it is: an approval that names who may answer has one of each. */
  readonly approver?: string;
}

/** The step of another run that began a run. */
export interface ParentOfRun {
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
  /** It waits for the end. */
  readonly isAwaited: boolean;
}

export interface RunRow extends RunSummary {
  readonly parent?: ParentOfRun;
  /** Runs above it. */
  readonly depth?: number;
  readonly actor: Actor;
  readonly source: InvocationSource;
  /** Digest of the functions that it calls; null when none were deployed. */
  readonly functions: string | null;
  /** Of its stored values; absent without any. */
  readonly storedBytes?: number;
  /** Idempotency key of its start. */
  readonly startKey?: string;
  /** Events in its journal. */
  readonly seq: number;
  /** Events in its snapshot; 0 without one. */
  readonly snapshotSeq: number;
  readonly answers: readonly OpenAnswer[];
}

export interface JournalRow {
  readonly events: readonly FlowEvent[];
}

/** What a token answers. It stays as long as its run, so that what comes late or twice is told apart from what was forged. */
export interface AnswerRow {
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
  /** `call`: a call that answered later. */
  readonly kind: "callback" | "approval" | "call";
  /** Who has it, of approvals that name who may answer. */
  readonly approver: string | null;
  /** What its last answer was refused as. */
  readonly refusedAs?: "late" | "double";
}

/** An answer that was refused. */
export interface RefusedAnswerRow {
  readonly atMs: number;
  readonly code: "late" | "double" | "forged";
  readonly message: string;
  readonly node: string | null;
  /** The way that it came. */
  readonly via: string;
}

export function parseFlow(json: unknown): FlowRow {
  const row = json as FlowRow;
  assert(typeof row.name === "string" && typeof row.version === "string" && Number.isInteger(row.seq), "a stored flow has its fields");
  return row;
}

export function parseFlowVersion(json: unknown): FlowVersionRow {
  const row = json as FlowVersionRow;
  assert(typeof row.definition === "object" && row.definition !== null, "a stored definition is an object");
  return row;
}

/** A file of tests (core/flow/tests), as it was written. */
export interface FlowTestsRow {
  readonly tests: JsonObject;
}

export function parseFlowTests(json: unknown): FlowTestsRow {
  const row = json as FlowTestsRow;
  assert(typeof row.tests === "object" && row.tests !== null, "stored tests are an object");
  return row;
}

export function parseFlowLedger(json: unknown): FlowLedgerRow {
  const row = json as FlowLedgerRow;
  assert(typeof row.version === "string" && typeof row.createdMs === "number", "a stored move of a flow has its fields");
  return row;
}

export function parseRun(json: unknown): RunRow {
  const row = json as RunRow;
  assert(typeof row.id === "string" && typeof row.flow === "string" && Number.isInteger(row.seq), "a stored run has its fields");
  return row;
}

export function parseJournal(json: unknown): JournalRow {
  const row = json as JournalRow;
  assert(Array.isArray(row.events), "a stored batch of a journal has events");
  return row;
}

/** Its text is read when the run is. */
export function parseSnapshot(json: unknown): string {
  assert(typeof json === "string", "a snapshot is a text");
  return json;
}

export function parseAnswer(json: unknown): AnswerRow {
  const row = json as AnswerRow;
  assert(typeof row.key === "string" && typeof row.attempt === "number", "a stored answer token has its fields");
  return row;
}

export function parseRefusedAnswer(json: unknown): RefusedAnswerRow {
  const row = json as RefusedAnswerRow;
  assert(typeof row.code === "string" && typeof row.atMs === "number", "a stored refusal has its fields");
  return row;
}

/** Id of a run. */
export function parseRunId(json: unknown): string {
  assert(typeof json === "string", "a stored id is a text");
  return json;
}

export function parseStoredValue(json: unknown): StoredValue {
  const row = json as StoredValue;
  assert(typeof row.digest === "string" && Number.isInteger(row.bytes), "a stored value has its digest and size");
  return row;
}

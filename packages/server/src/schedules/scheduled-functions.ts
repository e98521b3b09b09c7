/**
 * Scheduled functions, as they change in transactions. A job is its `_scheduled_functions` document, which user
 * code can read, a row with what the scheduler needs, and a due row under the platform's scope. All change
 * together, within the transaction of whoever changes them.
 *
 * J1 A job is scheduled, cancelled and finished in the transaction of its cause: a mutation that fails has
 *    scheduled nothing, and a scheduled mutation's `success` commits with its writes.
 * J2 States go pending → inProgress → success, failed or canceled, and never back from the last three.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope, Transaction } from "../database/database.ts";
import { depthAfter } from "../engine/cause-depth.ts";
import { DUE_TIMES, SCHEDULED_FINISHED, SCHEDULED_JOBS } from "../database/record-tables.ts";
import { parseScheduledDocument, type ScheduledDocument } from "./parse-scheduled.ts";
import type { JobRow } from "./schedule-records.ts";

export interface ScheduleRequest {
  readonly path: string;
  readonly kind: "mutation" | "action";
  /** JSON text of the arguments object; checked to be a value. */
  readonly argsText: string;
  readonly dueMs: number;
  readonly nowMs: number;
  /** Of the one who schedules it: a function that schedules itself again goes no deeper. */
  readonly causeDepth?: number;
}

export type JobEnd = { readonly kind: "success" } | { readonly kind: "failed"; readonly error: string } | { readonly kind: "canceled" };

/** What due rows name: scheduled functions, crons, timers of event sources, events that wait for their time, timers of runs of flows. */
export type DueKind = "function" | "cron" | "timer" | "flowEvent" | "flow";

/** Schedules a function; returns the id of its document. */
export async function scheduleFunction(transaction: Transaction, request: ScheduleRequest): Promise<string> {
  const aheadMax = limit("scheduleAheadMsMax");
  if (!(Math.abs(request.dueMs - request.nowMs) <= aheadMax)) {
    throw plinthError("InvalidArgument", { detail: "A function is scheduled for a time within five years from now." });
  }
  const argsBytes = Buffer.byteLength(request.argsText);
  const argsMax = limit("scheduleArgsBytesMax");
  if (argsBytes > argsMax)
    throw plinthError("LimitExceeded", { what: "Bytes of the arguments of a scheduled function", actual: argsBytes, max: argsMax });
  transaction.countSchedule(argsBytes);
  const id = await transaction.system.insert(
    "_scheduled_functions",
    `{"args":[${request.argsText}],"name":${JSON.stringify(request.path)},"scheduledTime":${request.dueMs},"state":{"kind":"pending"}}`,
  );
  const { path, kind, dueMs, nowMs } = request;
  const depth = depthAfter(request.causeDepth, dueMs - nowMs);
  const row: JobRow = { path, kind, dueMs, state: "pending", conflicts: 0, failures: 0, ...depth };
  transaction.records.put(SCHEDULED_JOBS, [id], row);
  transaction.records.put(DUE_TIMES, dueKey(transaction.scope, row.dueMs, "function", id), true);
  return id;
}

/** Cancels a job that has not ended; what it scheduled itself stays. A job that has ended is left as it is. */
export async function cancelScheduled(transaction: Transaction, request: { readonly id: string; readonly nowMs: number }): Promise<void> {
  const document = await readDocument(transaction, request.id);
  if (document === undefined) throw plinthError("InvalidArgument", { detail: "There is no scheduled function with this id." });
  const row = await transaction.records.get(SCHEDULED_JOBS, [request.id]);
  if (row !== undefined) await endJob(transaction, { id: request.id, row, end: { kind: "canceled" }, nowMs: request.nowMs });
}

export interface StartedJob {
  readonly row: JobRow;
  readonly argsText: string;
}

/** A job as it stands; undefined when it has ended, or was moved to another time. */
export async function readJob(
  transaction: Transaction,
  job: { readonly id: string; readonly dueMs: number },
): Promise<StartedJob | undefined> {
  const row = await transaction.records.get(SCHEDULED_JOBS, [job.id]);
  const document = await readDocument(transaction, job.id);
  if (row === undefined || document === undefined || row.dueMs !== job.dueMs) return undefined;
  return { row, argsText: JSON.stringify(document.args[0] ?? {}) };
}

/** Marks a pending job as in progress. False when it is not pending, or was moved to another time. */
export async function startJob(transaction: Transaction, job: { readonly id: string; readonly dueMs: number }): Promise<boolean> {
  const row = await transaction.records.get(SCHEDULED_JOBS, [job.id]);
  const document = await readDocument(transaction, job.id);
  if (row?.state !== "pending" || document === undefined || row.dueMs !== job.dueMs) return false;
  transaction.records.put(SCHEDULED_JOBS, [job.id], { ...row, state: "inProgress" });
  await writeDocument(transaction, job.id, { ...document, state: { kind: "inProgress" } });
  return true;
}

/** J1: ends a job in this transaction. Nothing happens when it has ended already. */
export async function finishJob(
  transaction: Transaction,
  finished: { readonly id: string; readonly end: JobEnd; readonly nowMs: number },
): Promise<boolean> {
  const row = await transaction.records.get(SCHEDULED_JOBS, [finished.id]);
  if (row === undefined) return false;
  await endJob(transaction, { ...finished, row });
  return true;
}

/** Puts a job off until `dueMs`, back to pending. */
export async function postponeJob(
  transaction: Transaction,
  job: { readonly id: string; readonly dueMs: number; readonly cause: "conflict" | "failure" },
): Promise<void> {
  const row = await transaction.records.get(SCHEDULED_JOBS, [job.id]);
  const document = await readDocument(transaction, job.id);
  if (row === undefined || document === undefined) return;
  transaction.records.delete(DUE_TIMES, dueKey(transaction.scope, row.dueMs, "function", job.id));
  transaction.records.put(DUE_TIMES, dueKey(transaction.scope, job.dueMs, "function", job.id), true);
  const counts = job.cause === "conflict" ? { conflicts: row.conflicts + 1 } : { failures: row.failures + 1 };
  transaction.records.put(SCHEDULED_JOBS, [job.id], { ...row, ...counts, state: "pending", dueMs: job.dueMs });
  if (document.state.kind !== "pending") await writeDocument(transaction, job.id, { ...document, state: { kind: "pending" } });
}

/** Key of a due row. The earliest of a branch comes first. */
export function dueKey(scope: Scope, dueMs: number, kind: DueKind, id: string) {
  return [scope.tenant, scope.branch, dueMs, kind, id] as const;
}

async function endJob(
  transaction: Transaction,
  ended: { readonly id: string; readonly row: JobRow; readonly end: JobEnd; readonly nowMs: number },
): Promise<void> {
  const { id, row, end, nowMs } = ended;
  const document = await readDocument(transaction, id);
  transaction.records.delete(SCHEDULED_JOBS, [id]);
  transaction.records.delete(DUE_TIMES, dueKey(transaction.scope, row.dueMs, "function", id));
  transaction.records.put(SCHEDULED_FINISHED, [nowMs, transaction.scope.tenant, transaction.scope.branch, id], true);
  if (document !== undefined) await writeDocument(transaction, id, { ...document, completedTime: nowMs, state: end });
}

async function readDocument(transaction: Transaction, id: string): Promise<ScheduledDocument | undefined> {
  const text = await transaction.system.get(id);
  return text === null ? undefined : parseScheduledDocument(text);
}

async function writeDocument(transaction: Transaction, id: string, document: ScheduledDocument): Promise<void> {
  await transaction.system.replace(id, JSON.stringify(document));
}

/** Moves of runs as they are committed (N1). All functions run in a transaction of the run's branch. */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isSyncEnded, syncTransition, type SyncEvent, type SyncMove } from "@plinth/core/policy/sync-run.ts";
import { markDropped } from "../blobs/dropped-blobs.ts";
import type { Records, Scope, Transaction } from "../database/database.ts";
import { OPEN_SYNC_RUNS, SYNC_ARTEFACTS, SYNC_CALLS, SYNC_RUNS, SYNC_RUNS_OF_UNIT, SYNC_UNITS } from "../database/record-tables.ts";
import { putSyncEvent } from "./run-events.ts";
import type { SyncCallRow, SyncRunRow, SyncUnitRow } from "./sync-records.ts";

const PAGE = 500;
const NOT_ENDED = { endedMs: null, result: null, note: null, reportDigest: null, counts: [] } as const;

/** What is kept of a report at its call. */
export type ReportNotes = Pick<SyncCallRow, "reportDigest" | "counts">;

/** Stores a run and everything that its first move causes. */
export async function putNewRun(
  transaction: Transaction,
  run: SyncRunRow,
  { unit, move }: { readonly unit: SyncUnitRow; readonly move: SyncMove },
): Promise<void> {
  const { records, scope } = transaction;
  records.put(SYNC_RUNS_OF_UNIT, [run.unitId, run.createdMs, run.id], true);
  records.put(OPEN_SYNC_RUNS, openKey(scope, run.id), true);
  records.put(SYNC_UNITS, [unit.id], { ...unit, activeRunId: run.id, updatedMs: run.createdMs });
  putMoved(records, run, { move, nowMs: run.createdMs });
  await putSyncEvent(transaction, "started", { run, unit, nowMs: run.createdMs });
}

/** What became of an event. */
export interface Moved {
  readonly run: SyncRunRow;
  /** Why nothing changed. */
  readonly refused: string | undefined;
  /** The report was taken before. */
  readonly isRepeated: boolean;
}

/** Tells the run what happened. A refusal is counted and noted at its call, and changes nothing else. */
export async function moveRun(
  transaction: Transaction,
  runId: string,
  { event, nowMs, report }: { readonly event: SyncEvent; readonly nowMs: number; readonly report?: ReportNotes },
): Promise<Moved | undefined> {
  const { records, scope } = transaction;
  const before = await records.get(SYNC_RUNS, [runId]);
  if (before === undefined) return undefined;
  const move = syncTransition(before.state, event);
  if (move.refused !== undefined) {
    if (event.kind === "reported") {
      const row = await records.get(SYNC_CALLS, [runId, event.call]);
      if (row !== undefined && row.reportDigest !== null && row.reportDigest === report?.reportDigest)
        return { run: before, refused: move.refused, isRepeated: true };
      await noteRefusal(records, before, { call: event.call, why: move.refused });
    }
    return { run: before, refused: move.refused, isRepeated: false };
  }
  if (before.state.status === "calling")
    await endCall(records, before, { event, move, nowMs, ...(report === undefined ? {} : { report }) });
  const ended = isSyncEnded(move.state);
  const run: SyncRunRow = { ...before, state: move.state, ...(ended ? { endedMs: nowMs } : {}) };
  putMoved(records, run, { move, nowMs });
  if (ended) {
    records.delete(OPEN_SYNC_RUNS, openKey(scope, runId));
    const unit = await records.get(SYNC_UNITS, [run.unitId]);
    if (unit?.activeRunId === runId) records.put(SYNC_UNITS, [unit.id], { ...unit, activeRunId: null, updatedMs: nowMs });
    await putSyncEvent(transaction, "ended", { run, unit, nowMs });
  }
  return { run, refused: undefined, isRepeated: false };
}

/** Counts a callback that was refused. */
async function noteRefusal(records: Records, run: SyncRunRow, refusal: { readonly call: number; readonly why: string }): Promise<void> {
  records.put(SYNC_RUNS, [run.id], { ...run, refused: run.refused + 1 });
  const row = await records.get(SYNC_CALLS, [run.id, refusal.call]);
  if (row !== undefined) records.put(SYNC_CALLS, [run.id, row.call], { ...row, note: `a report was refused: ${refusal.why}` });
}

/** The engine has the call. */
export async function setInvocation(records: Records, runId: string, call: { readonly call: number; readonly id: string }): Promise<void> {
  const row = await records.get(SYNC_CALLS, [runId, call.call]);
  if (row !== undefined) records.put(SYNC_CALLS, [runId, call.call], { ...row, invocationId: call.id });
}

/** Deletes runs of a unit beyond those that are kept, oldest first. */
export async function dropOldRuns(
  records: Records,
  unitId: string,
  { keep, nowMs }: { readonly keep: number; readonly nowMs: number },
): Promise<void> {
  const rows = await records.range(SYNC_RUNS_OF_UNIT, { prefix: [unitId], order: "desc", limit: limit("syncRunsKeptMax") + 2 });
  for (const { key } of rows.slice(keep)) {
    // A run with very many artefacts goes over several of these.
    if (await dropRunRows(records, String(key[2]), nowMs)) records.delete(SYNC_RUNS_OF_UNIT, key);
  }
}

export function mustHave(run: SyncRunRow | undefined): SyncRunRow {
  if (run === undefined) throw plinthError("NotFound", { what: "sync run with this id" });
  return run;
}

export function openKey(scope: Scope, runId: string): readonly [string, string, string] {
  return [scope.tenant, scope.branch, runId];
}

function putMoved(records: Records, run: SyncRunRow, { move, nowMs }: { readonly move: SyncMove; readonly nowMs: number }): void {
  records.put(SYNC_RUNS, [run.id], run);
  for (const command of move.commands) {
    if (command.kind !== "call") continue;
    const { call, phase, resumed } = command;
    const row: SyncCallRow = { call, phase, resumed, invocationId: null, createdMs: nowMs, ...NOT_ENDED };
    records.put(SYNC_CALLS, [run.id, call], row);
  }
}

async function endCall(
  records: Records,
  { id, state }: SyncRunRow,
  end: { readonly event: SyncEvent; readonly move: SyncMove; readonly nowMs: number; readonly report?: ReportNotes },
): Promise<void> {
  const { event, move, nowMs, report } = end;
  const row = must(await records.get(SYNC_CALLS, [id, state.call]), "a run that calls has its call");
  const result = event.kind === "reported" ? event.report.result : null;
  const note = move.state.status === "failed" ? move.state.reason : noteOf(event, row);
  records.put(SYNC_CALLS, [id, row.call], { ...row, endedMs: nowMs, result, note, ...report });
}

function noteOf({ kind }: SyncEvent, row: SyncCallRow): string | null {
  if (kind === "cancelled") return "cancelled";
  return kind === "lost" ? "lost with its process, and made again" : row.note;
}

async function dropRunRows(records: Records, runId: string, nowMs: number): Promise<boolean> {
  const artefacts = await records.range(SYNC_ARTEFACTS, { prefix: [runId], limit: PAGE });
  for (const { key } of artefacts) records.delete(SYNC_ARTEFACTS, key);
  markDropped(
    records,
    artefacts.flatMap(({ value }) => value.digest ?? []),
    nowMs,
  );
  const calls = await records.range(SYNC_CALLS, { prefix: [runId], limit: PAGE });
  for (const { key } of calls) records.delete(SYNC_CALLS, key);
  if (artefacts.length === PAGE || calls.length === PAGE) return false;
  records.delete(SYNC_RUNS, [runId]);
  return true;
}

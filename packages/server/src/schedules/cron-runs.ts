/**
 * Runs of crons, as they change in transactions.
 *
 * R1 Runs of one cron never overlap: the next one gets its due time when the one before has ended.
 * R2 Of runs that were missed, the newest is run and the others are recorded as skipped.
 * R3 A run is marked before it starts, so it starts once; one that its host left behind is recorded as failed.
 */
import { limit } from "@plinth/core/limits.ts";
import { nextRun, type CronSchedule } from "@plinth/core/schedules/crons.ts";
import type { Transaction } from "../database/database.ts";
import { CRONS, CRON_RUNS, DUE_TIMES } from "../database/record-tables.ts";
import type { CronRow, CronRunRow } from "./schedule-records.ts";
import { dueKey } from "./scheduled-functions.ts";

/** One run: its cron as it was when the run began. */
export interface CronRun {
  readonly row: CronRow;
  readonly startedMs: number;
}

export type CronStart =
  | { readonly kind: "run"; readonly run: CronRun; readonly skipped: number }
  /** The host stopped during this run; it is recorded and the next one is due later. */
  | { readonly kind: "abandoned" }
  /** The due row names nothing any more. */
  | { readonly kind: "gone" };

/** Marks the newest due run as in progress and records those before it as skipped. */
export async function startCron(
  transaction: Transaction,
  due: { readonly name: string; readonly dueMs: number; readonly nowMs: number },
): Promise<CronStart> {
  const { records, scope } = transaction;
  const row = await records.get(CRONS, [due.name]);
  if (row === undefined || row.dueMs !== due.dueMs) {
    records.delete(DUE_TIMES, dueKey(scope, due.dueMs, "cron", due.name));
    return { kind: "gone" };
  }
  if (row.state === "inProgress") {
    await finishCron(transaction, {
      run: { row, startedMs: row.runMs },
      end: { state: "failed", error: "The host stopped while the cron ran." },
      nowMs: due.nowMs,
    });
    return { kind: "abandoned" };
  }
  const runMs = latestRun(row, due.nowMs);
  const missed = runMs === row.runMs ? undefined : missedRuns(row, runMs);
  if (missed !== undefined) records.put(CRON_RUNS, [row.name, row.runMs], { state: "skipped", finishedMs: due.nowMs, ...missed });
  const started: CronRow = { ...row, runMs, state: "inProgress" };
  records.put(CRONS, [row.name], started);
  return { kind: "run", run: { row: started, startedMs: due.nowMs }, skipped: missed === undefined ? 0 : (missed.count ?? 1) };
}

/** Records how a run ended and makes the next one due, unless the cron was changed meanwhile. */
export async function finishCron(
  transaction: Transaction,
  finished: {
    readonly run: CronRun;
    readonly end: { readonly state: "success" | "failed" | "canceled"; readonly error?: string };
    readonly nowMs: number;
  },
): Promise<void> {
  const { records, scope } = transaction;
  const { run, end, nowMs } = finished;
  const { name, runMs } = run.row;
  records.put(CRON_RUNS, [name, runMs], { ...end, startedMs: run.startedMs, finishedMs: nowMs });
  await forgetOldRuns(transaction, name, nowMs);
  const row = await currentRow(transaction, run);
  if (row === undefined) return;
  const nextMs = nextRun(row.schedule, runMs, row.anchorMs);
  records.delete(DUE_TIMES, dueKey(scope, row.dueMs, "cron", name));
  records.put(DUE_TIMES, dueKey(scope, nextMs, "cron", name), true);
  records.put(CRONS, [name], { ...row, runMs: nextMs, dueMs: nextMs, state: "pending", conflicts: 0, failures: 0 });
}

/** Whether the run still is the one that its cron has in progress. */
export async function isCurrent(transaction: Transaction, run: CronRun): Promise<boolean> {
  return (await currentRow(transaction, run)) !== undefined;
}

/** Puts the same run off until `dueMs`. */
export async function postponeCron(
  transaction: Transaction,
  postponed: { readonly run: CronRun; readonly dueMs: number; readonly cause: "conflict" | "failure" },
): Promise<void> {
  const row = await currentRow(transaction, postponed.run);
  if (row === undefined) return;
  const { records, scope } = transaction;
  records.delete(DUE_TIMES, dueKey(scope, row.dueMs, "cron", row.name));
  records.put(DUE_TIMES, dueKey(scope, postponed.dueMs, "cron", row.name), true);
  const counts = postponed.cause === "conflict" ? { conflicts: row.conflicts + 1 } : { failures: row.failures + 1 };
  records.put(CRONS, [row.name], { ...row, ...counts, state: "pending", dueMs: postponed.dueMs });
}

async function currentRow(transaction: Transaction, { row }: CronRun): Promise<CronRow | undefined> {
  const current = await transaction.records.get(CRONS, [row.name]);
  return current?.runMs === row.runMs && current.anchorMs === row.anchorMs && current.state === "inProgress" ? current : undefined;
}

/** The newest run that is due. */
export function latestRun(row: Pick<CronRow, "schedule" | "anchorMs" | "runMs">, nowMs: number): number {
  const { schedule, anchorMs, runMs } = row;
  if (schedule.kind === "interval")
    return Math.max(runMs, anchorMs + Math.floor((nowMs - anchorMs) / schedule.periodMs) * schedule.periodMs);
  // The calendar can only be read forwards: look from further and further back until a run is found, then walk to the last.
  for (let backMs = 60_000; nowMs - backMs > runMs; backMs *= 2) {
    const found = nextRun(schedule, nowMs - backMs);
    if (found <= nowMs) return lastUntil(schedule, found, nowMs);
  }
  return lastUntil(schedule, runMs, nowMs);
}

function lastUntil(schedule: CronSchedule, fromMs: number, nowMs: number): number {
  for (let lastMs = fromMs; ;) {
    const nextMs = nextRun(schedule, lastMs);
    if (nextMs > nowMs) return lastMs;
    lastMs = nextMs;
  }
}

/** How many runs from the row's to before `runMs` were missed; the count is left out when it is large. */
function missedRuns(row: CronRow, runMs: number): Pick<CronRunRow, "count" | "lastMs"> {
  const max = limit("cronSkipRecordsMax");
  let count = 0;
  let lastMs = row.runMs;
  for (let atMs = row.runMs; atMs < runMs; atMs = nextRun(row.schedule, atMs, row.anchorMs)) {
    count++;
    lastMs = atMs;
    if (count > max) return {};
  }
  return { count, lastMs };
}

async function forgetOldRuns(transaction: Transaction, name: string, nowMs: number): Promise<void> {
  const { records } = transaction;
  const beforeMs = nowMs - limit("scheduledRetentionMs");
  // More are deleted than one run adds, so that the list becomes shorter when the cron becomes rarer.
  for (const { key, value } of await records.range(CRON_RUNS, { prefix: [name], limit: 4 })) {
    if (value.finishedMs < beforeMs) records.delete(CRON_RUNS, key);
  }
}

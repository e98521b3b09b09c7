/** Makes the crons of a branch those of its new version, in the transaction that moves the head. */
import { limit } from "@plinth/core/limits.ts";
import { nextRun, type CronJob } from "@plinth/core/schedules/crons.ts";
import type { Transaction } from "../database/database.ts";
import { CRONS, DUE_TIMES } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CronRow } from "./schedule-records.ts";
import { dueKey } from "./scheduled-functions.ts";

export type ApplyCrons = (transaction: Transaction, jobs: readonly CronJob[]) => Promise<void>;

/** A cron that is declared as before keeps its place in time; a run in progress goes on. */
export function applyCronsWith(runtime: Pick<Runtime, "nowMs">): ApplyCrons {
  return async (transaction, jobs) => {
    const { records } = transaction;
    const nowMs = runtime.nowMs();
    const rows = await records.range(CRONS, { prefix: [], limit: limit("cronsPerVersionMax") + 1 });
    const before = new Map(rows.map(({ value }) => [value.name, value]));
    for (const job of jobs) {
      const row = before.get(job.name);
      before.delete(job.name);
      const fresh = newRow(job, nowMs);
      if (row !== undefined && isSame(row, fresh)) continue;
      if (row !== undefined) records.delete(DUE_TIMES, dueKey(transaction.scope, row.dueMs, "cron", row.name));
      records.put(CRONS, [job.name], fresh);
      records.put(DUE_TIMES, dueKey(transaction.scope, fresh.dueMs, "cron", job.name), true);
    }
    for (const row of before.values()) {
      records.delete(CRONS, [row.name]);
      records.delete(DUE_TIMES, dueKey(transaction.scope, row.dueMs, "cron", row.name));
    }
  };
}

/** Intervals begin at once and count from there; calendar schedules have the calendar. */
function newRow(job: CronJob, nowMs: number): CronRow {
  const isInterval = job.schedule.kind === "interval";
  const anchorMs = isInterval ? nowMs : 0;
  const runMs = isInterval ? nowMs : nextRun(job.schedule, nowMs, anchorMs);
  const args: unknown = JSON.parse(job.argsText);
  return {
    name: job.name,
    path: job.functionPath,
    argsText: JSON.stringify(Array.isArray(args) ? args[0] : args),
    schedule: job.schedule,
    anchorMs,
    runMs,
    dueMs: runMs,
    state: "pending",
    conflicts: 0,
    failures: 0,
  };
}

function isSame(a: CronRow, b: CronRow): boolean {
  return a.path === b.path && a.argsText === b.argsText && JSON.stringify(a.schedule) === JSON.stringify(b.schedule);
}

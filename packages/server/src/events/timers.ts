/**
 * Timers of event sources. The row of a timer and its due time change with its source, in one transaction; a tick is published in
 * the transaction that makes the next one due. Ticks that were missed are one: the newest.
 */
import { limit } from "@plinth/core/limits.ts";
import { nextRun, type CronSchedule } from "@plinth/core/schedules/crons.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { DUE_TIMES, TIMERS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { latestRun } from "../schedules/cron-runs.ts";
import type { Due } from "../schedules/due-times.ts";
import { dueKey } from "../schedules/scheduled-functions.ts";
import { organisationName } from "../snap-ins/ids.ts";
import type { EventSourceRow } from "../snap-ins/snap-in-records.ts";
import type { TimerRow } from "./event-records.ts";
import { publishEvent } from "./publish.ts";

/** Makes the timer that of its source: running as it says when the source is enabled, gone when it is not. */
export async function setTimer(transaction: Transaction, source: EventSourceRow): Promise<void> {
  const schedule = source.enabled && source.type === "timer-events" ? scheduleOf(source) : undefined;
  if (schedule === undefined) return await deleteTimer(transaction, source.id);
  const metadata = source.config["metadata"] ?? {};
  await putTimer(transaction, source.id, { schedule, metadata, openedMs: source.openedMs ?? source.createdMs });
}

/** Lets a source tick from `openedMs` on. A timer with the same schedule goes on as it is. */
export async function putTimer(
  transaction: Transaction,
  sourceId: string,
  { schedule, metadata, openedMs }: { readonly schedule: CronSchedule; readonly metadata: unknown; readonly openedMs: number },
): Promise<void> {
  const { records, scope } = transaction;
  const before = await records.get(TIMERS, [sourceId]);
  if (before !== undefined && JSON.stringify(before.schedule) === JSON.stringify(schedule)) {
    records.put(TIMERS, [sourceId], { ...before, metadata });
    return;
  }
  if (before !== undefined) records.delete(DUE_TIMES, dueKey(scope, dueOf(before), "timer", sourceId));
  const anchorMs = schedule.kind === "interval" ? openedMs : 0;
  const runMs = nextRun(schedule, openedMs, anchorMs);
  records.put(TIMERS, [sourceId], { schedule, anchorMs, runMs, metadata });
  records.put(DUE_TIMES, dueKey(scope, runMs, "timer", sourceId), true);
}

export async function deleteTimer(transaction: Transaction, sourceId: string): Promise<void> {
  const row = await transaction.records.get(TIMERS, [sourceId]);
  if (row !== undefined) forgetTimer(transaction, sourceId, dueOf(row));
}

/** One tick, by its due time; put off while too many events wait, so that the newest of those ticks is left. */
export async function tick(parts: { readonly database: Database; readonly runtime: Pick<Runtime, "nowMs"> }, due: Due): Promise<void> {
  await parts.database.update(due.scope, async (transaction) => {
    const { records, scope } = transaction;
    const nowMs = parts.runtime.nowMs();
    const row = await records.get(TIMERS, [due.id]);
    records.delete(DUE_TIMES, dueKey(scope, due.dueMs, "timer", due.id));
    if (row === undefined || dueOf(row) !== due.dueMs) return;
    if (parts.database.waitingEvents.isFull(scope)) {
      const dueMs = nowMs + limit("eventsFullPauseMs");
      records.put(TIMERS, [due.id], { ...row, dueMs });
      records.put(DUE_TIMES, dueKey(scope, dueMs, "timer", due.id), true);
      return;
    }
    const scheduledMs = latestRun(row, nowMs);
    await publishEvent(transaction, tickOf(scope, { sourceId: due.id, metadata: row.metadata, scheduledMs }), nowMs);
    const runMs = nextRun(row.schedule, scheduledMs, row.anchorMs);
    const { dueMs: _, ...rest } = row;
    records.put(TIMERS, [due.id], { ...rest, runMs });
    records.put(DUE_TIMES, dueKey(scope, runMs, "timer", due.id), true);
  });
}

function tickOf(scope: Scope, { sourceId, metadata, scheduledMs }: { sourceId: string; metadata: unknown; scheduledMs: number }) {
  return {
    type: "timer.tick",
    sourceId,
    payload: { dev_oid: organisationName(scope), event_source_id: sourceId, metadata, scheduled_time: scheduledMs },
    // Ticks of one timer follow each other where the function asks for order.
    syncId: sourceId,
  };
}

function dueOf({ runMs, dueMs }: TimerRow): number {
  return dueMs ?? runMs;
}

function forgetTimer({ records, scope }: Transaction, sourceId: string, dueMs: number): void {
  records.delete(TIMERS, [sourceId]);
  records.delete(DUE_TIMES, dueKey(scope, dueMs, "timer", sourceId));
}

/** Checked when the manifest was read. */
function scheduleOf({ config }: EventSourceRow): CronSchedule | undefined {
  const { cron, interval_seconds: seconds } = config;
  if (typeof cron === "string") return { kind: "cron", expression: cron };
  if (typeof seconds !== "number") return undefined;
  return { kind: "interval", periodMs: Math.max(seconds, limit("timerIntervalSecondsMin")) * 1000 };
}

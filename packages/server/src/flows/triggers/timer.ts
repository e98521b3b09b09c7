/**
 * Times: `{cron}` in UTC, `{intervalMs}` from the moment of publishing on, or `{at}` once. A firing is an event of the flow's own,
 * written in the transaction that makes the next one due, and starts one run. Firings that were missed while no host ran are one: the
 * newest. One that was due while the flow was off is not made up for.
 */
import { momentMs } from "@plinth/core/flow/durations.ts";
import type { FlowFinding, FlowTrigger } from "@plinth/core/flow/definition.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { CronSchedule } from "@plinth/core/schedules/crons.ts";
import type { Transaction } from "../../database/database.ts";
import type { EventRow } from "../../events/event-records.ts";
import { scheduleFlowEvent, unscheduleFlowEvent } from "../../events/flow-events.ts";
import { flowSource } from "../../events/flow-listeners.ts";
import { deleteTimer, putTimer } from "../../events/timers.ts";
import type { TriggerChange, TriggerKind, TriggerPlace } from "./trigger.ts";

const ONCE = "once";
const ONCE_EVENT = `custom:${ONCE}`;
const TICK_EVENT = "timer.tick";

export const timerTrigger: TriggerKind = {
  type: "timer",
  source: "schedule",
  eventTypes: ({ at }) => [at === undefined ? TICK_EVENT : ONCE_EVENT],
  context: timeOf,
  set: setTimes,
  findings: pastMoment,
};

/** `trigger.scheduledTime` */
function timeOf({ payloadText, createdMs }: EventRow): Json {
  const payload = JSON.parse(payloadText) as Json;
  const scheduled = isRecord(payload) ? payload["scheduled_time"] : undefined;
  return { scheduledTime: new Date(typeof scheduled === "number" ? scheduled : createdMs).toISOString() };
}

async function setTimes(transaction: Transaction, flow: string, { trigger, nowMs }: TriggerChange): Promise<void> {
  const source = flowSource(flow);
  const schedule = trigger === null ? undefined : scheduleOf(trigger.data);
  if (schedule === undefined) await deleteTimer(transaction, source);
  else await putTimer(transaction, source, { schedule, metadata: {}, openedMs: nowMs });
  await unscheduleFlowEvent(transaction, source, ONCE);
  const publishAtMs = trigger === null ? null : atOf(trigger.data);
  if (publishAtMs === null || publishAtMs <= nowMs) return;
  const event = { sourceId: source, type: ONCE, payload: { scheduled_time: publishAtMs }, syncId: null, publishAtMs, key: ONCE };
  await scheduleFlowEvent(transaction, { ...event, causeDepth: 0 }, { nowMs, newKey: ONCE });
}

function scheduleOf({ cron, intervalMs }: JsonObject): CronSchedule | undefined {
  if (typeof cron === "string") return { kind: "cron", expression: cron };
  return typeof intervalMs === "number" ? { kind: "interval", periodMs: intervalMs } : undefined;
}

function atOf({ at }: JsonObject): number | null {
  return typeof at === "string" ? momentMs(at) : null;
}

function pastMoment({ data }: FlowTrigger, { nowMs }: TriggerPlace): readonly FlowFinding[] {
  const atMs = atOf(data);
  if (atMs === null || atMs > nowMs) return [];
  const path = "trigger.data.at";
  return [{ path, node: null, severity: "warning", message: `${path} is past; it starts no run.` }];
}

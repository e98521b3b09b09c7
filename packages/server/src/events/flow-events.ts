/**
 * Events that packages publish themselves, at once or at a time, to their own sources of the type `flow-events`. What waits for its
 * time has a key, by which it can be changed or taken back until then.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Transaction } from "../database/database.ts";
import { DUE_TIMES, FLOW_EVENT_COUNTS, FLOW_EVENTS } from "../database/record-tables.ts";
import { depthAfter } from "../engine/cause-depth.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Due } from "../schedules/due-times.ts";
import { dueKey } from "../schedules/scheduled-functions.ts";
import type { FlowEvent } from "./events.ts";
import { checkEvent, publishEvent } from "./publish.ts";

/** Publishes or stores it; its key. Throws AlreadyExists when one with the key waits already. */
export async function scheduleFlowEvent(
  transaction: Transaction,
  event: FlowEvent,
  { nowMs, newKey, checkRoom }: { readonly nowMs: number; readonly newKey: string; readonly checkRoom?: () => void },
): Promise<{ readonly key: string }> {
  const { records, scope } = transaction;
  const { sourceId, payload, syncId, publishAtMs = nowMs, key = newKey, causeDepth } = event;
  const depth = depthAfter(causeDepth, publishAtMs - nowMs);
  const type = `custom:${event.type}`;
  const payloadText = JSON.stringify(payload ?? {});
  checkEvent({ type, syncId, key }, payloadText);
  if (publishAtMs - nowMs > limit("scheduleAheadMsMax"))
    throw plinthError("BadRequest", { detail: "An event is scheduled for a time within five years from now." });
  const before = await records.get(FLOW_EVENTS, [sourceId, key]);
  if (before !== undefined && event.updateIfExists !== true)
    throw plinthError("AlreadyExists", { what: `An event of the source with the key '${key.slice(0, 64)}'` });
  if (before !== undefined) await forget(transaction, { sourceId, key, dueMs: before.dueMs });
  if (publishAtMs <= nowMs) {
    await publishEvent(transaction, { type, sourceId, payload, syncId, ...depth }, nowMs, checkRoom);
    return { key };
  }
  await count(transaction, sourceId, 1);
  records.put(FLOW_EVENTS, [sourceId, key], { type, payloadText, syncId, dueMs: publishAtMs, ...depth });
  records.put(DUE_TIMES, dueKey(scope, publishAtMs, "flowEvent", dueId(sourceId, key)), true);
  return { key };
}

/** Takes one back that waits; false when none has the key. */
export async function unscheduleFlowEvent(transaction: Transaction, sourceId: string, key: string): Promise<boolean> {
  const row = await transaction.records.get(FLOW_EVENTS, [sourceId, key]);
  if (row === undefined) return false;
  await forget(transaction, { sourceId, key, dueMs: row.dueMs });
  return true;
}

/** Takes all of a source back. */
export async function unscheduleAll(transaction: Transaction, sourceId: string): Promise<void> {
  const rows = await transaction.records.range(FLOW_EVENTS, { prefix: [sourceId], limit: limit("flowEventsPerSourceMax") });
  for (const { key, value } of rows) drop(transaction, { sourceId, key: String(key[1]), dueMs: value.dueMs });
  transaction.records.delete(FLOW_EVENT_COUNTS, [sourceId]);
}

/** Publishes what is due; while too many events wait, it does too. */
export async function publishDue(
  parts: { readonly database: Database; readonly runtime: Pick<Runtime, "nowMs"> },
  due: Due,
): Promise<void> {
  await parts.database.update(due.scope, async (transaction) => {
    const { records, scope } = transaction;
    const [sourceId = "", ...rest] = due.id.split(" ");
    const key = rest.join(" ");
    const row = await records.get(FLOW_EVENTS, [sourceId, key]);
    records.delete(DUE_TIMES, dueKey(scope, due.dueMs, "flowEvent", due.id));
    if (row === undefined || row.dueMs !== due.dueMs) return;
    if (parts.database.waitingEvents.isFull(scope)) {
      const dueMs = parts.runtime.nowMs() + limit("eventsFullPauseMs");
      records.put(FLOW_EVENTS, [sourceId, key], { ...row, dueMs });
      records.put(DUE_TIMES, dueKey(scope, dueMs, "flowEvent", due.id), true);
      return;
    }
    await forget(transaction, { sourceId, key, dueMs: due.dueMs });
    const { type, payloadText, syncId, causeDepth } = row;
    const event = { type, sourceId, payload: JSON.parse(payloadText) as unknown, syncId };
    await publishEvent(transaction, { ...event, ...(causeDepth === undefined ? {} : { causeDepth }) }, parts.runtime.nowMs());
  });
}

interface Waiting {
  readonly sourceId: string;
  readonly key: string;
  readonly dueMs: number;
}

async function forget(transaction: Transaction, waiting: Waiting): Promise<void> {
  drop(transaction, waiting);
  await count(transaction, waiting.sourceId, -1);
}

function drop({ records, scope }: Transaction, { sourceId, key, dueMs }: Waiting): void {
  records.delete(FLOW_EVENTS, [sourceId, key]);
  records.delete(DUE_TIMES, dueKey(scope, dueMs, "flowEvent", dueId(sourceId, key)));
}

async function count({ records }: Transaction, sourceId: string, change: 1 | -1): Promise<void> {
  const next = Math.max(0, ((await records.get(FLOW_EVENT_COUNTS, [sourceId])) ?? 0) + change);
  const max = limit("flowEventsPerSourceMax");
  if (next > max) throw plinthError("LimitExceeded", { what: "Events of one source that wait for their time", actual: next, max });
  if (next === 0) records.delete(FLOW_EVENT_COUNTS, [sourceId]);
  else records.put(FLOW_EVENT_COUNTS, [sourceId], next);
}

/** Ids of sources have no spaces. */
function dueId(sourceId: string, key: string): string {
  return `${sourceId} ${key}`;
}

/**
 * Makes deliveries of events: one for each automation that listens and whose filter agrees.
 *
 * Filters are evaluated before the transaction, which then reads the subscriptions again and gives up when they changed meanwhile.
 */
import { createHash } from "node:crypto";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { EVENT_QUEUE, EVENTS, SUBSCRIPTIONS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { judge, verdictKey, type FilterQuestion, type Verdict } from "./filters.ts";
import { addDelivery, type DeliveryKey, putDeadLetter } from "./delivery-rows.ts";
import { ANSWER_LISTENER, COMPLETE_STEP, type FlowListeners } from "./flow-listeners.ts";
import type { FreshDeliveries } from "./fresh-deliveries.ts";
import type { GroupedUpdates } from "./grouped-updates.ts";
import type { DeliveryRow, EventMark, EventPlace, EventRow, SubscriptionRow } from "./event-records.ts";

export interface FanOutParts {
  readonly database: Database;
  readonly tools: Pick<JailTools, "run">;
  readonly runtime: Pick<Runtime, "nowMs">;
  readonly updates: GroupedUpdates;
  readonly fresh: FreshDeliveries;
  readonly flows: Pick<FlowListeners, "judge">;
}

interface Batch {
  readonly marks: readonly {
    readonly place: readonly [number, string];
    readonly mark: EventMark;
    readonly isLast: boolean;
    readonly next: number;
  }[];
  readonly events: readonly { readonly place: EventPlace; readonly event: EventRow }[];
  readonly subscriptions: ReadonlyMap<string, readonly SubscriptionRow[]>;
  /** Nothing else waited when it was read. */
  readonly isAll: boolean;
}

/** Handles the first events of a branch that wait. False when nothing waits any more but what is committed meanwhile. */
export async function fanOut(parts: FanOutParts, scope: Scope): Promise<boolean> {
  const batch = await parts.database.read(scope, ({ records }) => readFitting(records, scope));
  if (batch.marks.length === 0) return false;
  const verdicts = new Map([...(await judge(parts.tools, scope.tenant, questionsOf(batch))), ...flowVerdicts(parts.flows, batch)]);
  const nowMs = parts.runtime.nowMs();
  return await parts.updates.run(scope, async ({ records }) => {
    if (!(await isCurrent(records, scope, batch))) return true;
    for (const { place, event } of batch.events) {
      const verdictOf = ({ sourceId }: SubscriptionRow): Verdict => verdicts.get(verdictKey(event.id, sourceId)) ?? "yes";
      const listeners = listenersOf(batch, event);
      const deliveries = listeners.filter((each) => verdictOf(each) === "yes").length;
      for (const subscription of listeners) {
        const key: DeliveryKey = [...place, subscription.sourceId, subscription.automation];
        const verdict = verdictOf(subscription);
        if (verdict === "no") continue;
        const row = { ...deliveryOf(event, subscription, nowMs), ...(deliveries === 1 ? { isOnly: true as const } : {}) };
        if (verdict === "yes") {
          if (await addDelivery({ records, scope }, key, row)) parts.fresh.add(scope, key, { row, event });
          else if (row.group !== null) parts.fresh.follow(scope, row.group);
          continue;
        }
        const { code, message } = verdict;
        const { snapInId, automation } = row;
        const error = { code, message };
        await putDeadLetter(
          { records },
          { id: row.key, event, snapInId, automation, attempts: 0, diedMs: nowMs, error, invocation: null, delivery: row },
        );
      }
      if (deliveries === 0) records.delete(EVENTS, place);
    }
    for (const { place, mark, isLast, next } of batch.marks) {
      const key = [scope.tenant, scope.branch, ...place];
      if (isLast) records.delete(EVENT_QUEUE, key);
      else records.put(EVENT_QUEUE, key, { ...mark, next });
    }
    return !batch.isAll;
  });
}

/** As many events as there is room for their deliveries in one commit, and at least one. */
async function readFitting(records: Records, scope: Scope): Promise<Batch> {
  const most = limit("eventFanOutMax");
  const batch = await readBatch(records, scope, most);
  const deliveries = batch.events.reduce((sum, { event }) => sum + listenersOf(batch, event).length, 0);
  const room = limit("eventListenersMax");
  return deliveries <= room ? batch : await readBatch(records, scope, Math.max(1, Math.floor((batch.events.length * room) / deliveries)));
}

async function readBatch(records: Records, scope: Scope, max: number): Promise<Batch> {
  const marks: Batch["marks"][number][] = [];
  const events: Batch["events"][number][] = [];
  const waiting = await records.range(EVENT_QUEUE, { prefix: [scope.tenant, scope.branch], limit: max });
  for (const { key, value: mark } of waiting) {
    if (events.length >= max) break;
    const place = [Number(key[2]), String(key[3])] as const;
    const room = max - events.length;
    const rows = await records.range(EVENTS, { prefix: place, limit: room + 1, after: [...place, mark.next - 1] });
    const taken = rows.slice(0, room);
    for (const row of taken) events.push({ place: [...place, Number(row.key[2])], event: row.value });
    marks.push({ place, mark, isLast: rows.length <= room, next: Number(taken.at(-1)?.key[2] ?? 0) + 1 });
  }
  const isAll = waiting.length < max && marks.length === waiting.length && marks.every(({ isLast }) => isLast);
  return { marks, events, subscriptions: await subscriptionsOf(records, events), isAll };
}

async function subscriptionsOf(records: Records, events: Batch["events"]): Promise<ReadonlyMap<string, readonly SubscriptionRow[]>> {
  const found = new Map<string, readonly SubscriptionRow[]>();
  for (const type of new Set(events.map(({ event }) => event.type))) {
    const rows = await records.range(SUBSCRIPTIONS, { prefix: [type], limit: limit("eventListenersMax") });
    const listening = rows.map(({ value }) => value);
    found.set(type, type === COMPLETE_STEP ? [...listening, ANSWER_LISTENER] : listening);
  }
  return found;
}

function listenersOf(batch: Batch, event: EventRow): readonly SubscriptionRow[] {
  const all = batch.subscriptions.get(event.type) ?? [];
  return event.sourceId === null ? all : all.filter((row) => row.sourceId === event.sourceId || row === ANSWER_LISTENER);
}

async function isCurrent(records: Records, scope: Scope, batch: Batch): Promise<boolean> {
  for (const { place, mark } of batch.marks) {
    const now = await records.get(EVENT_QUEUE, [scope.tenant, scope.branch, ...place]);
    if (now?.next !== mark.next) return false;
  }
  const now = await subscriptionsOf(records, batch.events);
  return JSON.stringify([...now]) === JSON.stringify([...batch.subscriptions]);
}

/** A source's filter says the same to each of its automations. */
function questionsOf(batch: Batch): readonly FilterQuestion[] {
  const questions = new Map<string, FilterQuestion>();
  for (const { event } of batch.events)
    for (const { sourceId, filterJq, user } of listenersOf(batch, event))
      if (filterJq !== null) questions.set(verdictKey(event.id, sourceId), { sourceId, filterJq, user, event });
  return [...questions.values()];
}

function flowVerdicts(flows: Pick<FlowListeners, "judge">, batch: Batch): readonly (readonly [string, Verdict])[] {
  return batch.events.flatMap(({ event }) =>
    listenersOf(batch, event).flatMap(({ sourceId, flow }) =>
      flow === undefined ? [] : [[verdictKey(event.id, sourceId), flows.judge(flow, event)] as const],
    ),
  );
}

function deliveryOf(event: EventRow, subscription: SubscriptionRow, nowMs: number): DeliveryRow {
  const { snapInId, automation, sourceId, user, flow, webhook } = subscription;
  const name = createHash("sha256")
    .update(JSON.stringify([event.id, sourceId, automation]))
    .digest("base64url");
  return {
    key: `dlv_${name}`,
    snapInId,
    automation,
    function: subscription.function,
    sourceId,
    user,
    ...(flow === undefined ? {} : { flow }),
    ...(webhook === undefined ? {} : { webhook }),
    group: subscription.ordered && event.syncId !== null ? JSON.stringify([snapInId, subscription.function, event.syncId]) : null,
    attempts: 0,
    // Now, and in the order of events; the clock may have been moved back since.
    dueMs: Math.min(event.createdMs, nowMs),
    error: null,
    invocation: null,
  };
}

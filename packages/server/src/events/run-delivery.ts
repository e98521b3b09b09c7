/**
 * One call of a delivery, and what its outcome means (V2, V4).
 *
 * Nothing is written before a call: the delivery itself says that it is to be called, and its end takes it away. Deliveries that an
 * earlier process left may have been under way when it ended; they are counted as a call that was lost before they are called
 * again, so that one that takes hosts down with it is given up like any other that is lost too often.
 */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { retryDelayMs } from "@plinth/core/policy/retry.ts";
import type { Database, Transaction } from "../database/database.ts";
import { DELIVERIES, EVENTS } from "../database/record-tables.ts";
import type { SchedulerEngine } from "../engine/create-engine.ts";
import { AUTOMATION } from "../modalities/automations.ts";
import { requestOf, type ModalityContext } from "../modalities/modality-context.ts";
import type { OutgoingWebhooks } from "../outgoing/outgoing-webhooks.ts";
import type { Runtime } from "../runtime/runtime.ts";
import {
  endDelivery,
  placeOf,
  postponeDelivery,
  putDeadLetter,
  readDelivery,
  trimDeadLetters,
  type Delivery,
  type StoredDelivery,
} from "./delivery-rows.ts";
import type { DeadLetterRow, DeliveryRow } from "./event-records.ts";
import type { FlowListeners } from "./flow-listeners.ts";
import type { FreshDeliveries } from "./fresh-deliveries.ts";
import type { GroupedUpdates } from "./grouped-updates.ts";

const TRIM_SHARE = 1 / 64;

export interface DeliveryParts {
  readonly database: Database;
  readonly engine: SchedulerEngine;
  readonly modality: () => ModalityContext;
  readonly runtime: Runtime;
  readonly updates: GroupedUpdates;
  readonly fresh: FreshDeliveries;
  readonly flows: Pick<FlowListeners, "start">;
  readonly webhooks: Pick<OutgoingWebhooks, "deliver">;
  /** Moment of the store when this process began. */
  readonly beganTs: number;
}

export interface DeliveryOptions {
  readonly signal: AbortSignal;
  /** The call has ended and its end needs no place: it is written with others. */
  readonly onCalled: () => void;
}

/** How a call ended. */
interface End {
  readonly error?: PlinthError;
  readonly invocation: string | null;
}

type Settled = StoredDelivery & { readonly end: End };

export async function runDelivery(parts: DeliveryParts, delivery: Delivery, { signal, onCalled }: DeliveryOptions): Promise<void> {
  const { scope, key } = delivery;
  const fresh = parts.fresh.take(scope, key);
  const stored = fresh ?? (await parts.database.read(scope, ({ records }) => readDelivery(records, key)));
  if (stored === undefined) return;
  const isLeft = (stored.row.hostTs ?? key[0]) < parts.beganTs;
  const begun = isLeft ? await takeOver(parts, delivery, stored) : stored;
  if (begun === undefined) return;
  const end = await call(parts, delivery, { stored: begun, signal });
  if (end.error?.code === "ShuttingDown" || signal.aborted) return;
  const isPatient = end.error === undefined && !isLeft && !parts.fresh.isFollowed(scope, begun.row.group);
  if (isPatient) onCalled();
  await parts.updates.run(scope, (transaction) => settle(parts, delivery, { transaction, settled: { ...begun, end } }), { isPatient });
  // Now and then, so that it costs little of what putting dead letters does.
  if (end.error !== undefined && parts.runtime.random() < TRIM_SHARE) await trimDeadLetters(parts.database, scope);
}

/** Counts the call that may have been lost with an earlier process. Undefined when that was the last one. */
async function takeOver(parts: DeliveryParts, { scope, key }: Delivery, stored: StoredDelivery): Promise<StoredDelivery | undefined> {
  return await parts.updates.run(scope, async ({ records }) => {
    const row = await records.get(DELIVERIES, key);
    if (row === undefined || !isSame(row, stored.row)) return undefined;
    const next: DeliveryRow = { ...row, attempts: row.attempts + 1, hostTs: parts.beganTs };
    if (next.attempts < limit("eventAttemptsMax")) {
      records.put(DELIVERIES, key, next);
      return { ...stored, row: next };
    }
    const error = plinthError("RunnerLost", { detail: "the host stopped while it ran" });
    const letter = letterOf({ ...stored, row: next, end: { error, invocation: row.invocation } }, error, parts.runtime.nowMs());
    await putDeadLetter({ records }, letter);
    await endDelivery({ records, scope }, key, row);
    return undefined;
  });
}

async function call(
  { engine, modality, flows, webhooks }: DeliveryParts,
  { scope }: Delivery,
  { stored, signal }: { readonly stored: StoredDelivery; readonly signal: AbortSignal },
): Promise<End> {
  const { row, event } = stored;
  try {
    if (row.flow !== undefined) return { invocation: await flows.start(scope, row.flow, event) };
    if (row.webhook !== undefined) {
      await webhooks.deliver(scope, row.webhook, event);
      return { invocation: null };
    }
    const request = await AUTOMATION.prepare(modality(), scope, {
      snapInId: row.snapInId,
      automation: row.automation,
      function: row.function,
      eventType: event.type,
      userId: row.user,
      causeDepth: (event.causeDepth ?? 0) + 1,
      payload: payloadOf(stored),
    });
    const outcome = await engine.run(requestOf(scope, AUTOMATION, request), { signal, patient: true });
    return outcome.status === "succeeded" ? { invocation: outcome.id } : { invocation: outcome.id, error: outcome.error };
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    return { error, invocation: null };
  }
}

/** Events of documents name the source that they come to a handler by. */
function payloadOf({ row, event }: StoredDelivery): unknown {
  const payload: unknown = JSON.parse(event.payloadText);
  return event.sourceId === null && typeof payload === "object" ? { ...payload, webhook_id: row.sourceId } : payload;
}

async function settle(
  { runtime, beganTs, fresh }: DeliveryParts,
  { scope, key }: Delivery,
  { transaction, settled }: { readonly transaction: Transaction; readonly settled: Settled },
): Promise<void> {
  const { records } = transaction;
  const { end } = settled;
  const nowMs = runtime.nowMs();
  const jitter = runtime.random();
  const row = await records.get(DELIVERIES, key);
  if (row === undefined || !isSame(row, settled.row)) return;
  const place = { records, scope };
  if (end.error === undefined) {
    const next = await endDelivery(place, key, row);
    const event = next === undefined ? undefined : await records.get(EVENTS, placeOf(next.key));
    if (next === undefined) fresh.notFollowed(scope, row.group);
    else if (event !== undefined) fresh.add(scope, next.key, { row: next.row, event });
    return;
  }
  const { code, message } = end.error;
  const error = { code, message };
  if (code === "BudgetExceeded") {
    // Nothing was called. It waits until there is a budget again.
    const dueMs = nowMs + Math.round(limit("eventBudgetPauseMs") * (1 + jitter));
    postponeDelivery(place, key, { row, next: { attempts: row.attempts, dueMs, error, invocation: end.invocation, hostTs: beganTs } });
    return;
  }
  const attempts = row.attempts + 1;
  if (canRetry(end.error) && attempts < limit("eventAttemptsMax")) {
    // A call that was lost with its process is done again at once.
    const pauseMs = code === "RunnerLost" && attempts === 1 ? 0 : retryDelayMs({ kind: "platform", attempt: attempts, jitter });
    const dueMs = Math.max(nowMs + pauseMs, row.dueMs + 1);
    postponeDelivery(place, key, { row, next: { attempts, dueMs, error, invocation: end.invocation, hostTs: beganTs } });
    return;
  }
  await putDeadLetter(place, letterOf({ ...settled, row: { ...row, attempts } }, end.error, nowMs));
  await endDelivery(place, key, row);
}

function letterOf({ row, event, end }: Settled, { code, message }: PlinthError, nowMs: number): DeadLetterRow {
  const { key, snapInId, automation, attempts } = row;
  const error = { code, message };
  return { id: key, event, snapInId, automation, attempts, diedMs: nowMs, error, invocation: end.invocation, delivery: row };
}

/** Whether nothing has happened to the delivery meanwhile. */
function isSame(one: DeliveryRow, other: DeliveryRow): boolean {
  return one.key === other.key && one.attempts === other.attempts;
}

/** Failures that are nobody's, and those that time heals. What the function asked for was done already. */
function canRetry({ spec, code }: PlinthError): boolean {
  return spec.fault === "platform" || code === "TooManyConcurrentRequests" || code === "ExpiredInQueue" || code === "Cancelled";
}

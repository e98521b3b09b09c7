/** One call of a delivery, and what its outcome means (V2, V4). */
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { retryDelayMs } from "@plinth/core/policy/retry.ts";
import type { Database } from "../database/database.ts";
import { DELIVERIES } from "../database/record-tables.ts";
import type { SchedulerEngine } from "../engine/create-engine.ts";
import { AUTOMATION } from "../modalities/automations.ts";
import { requestOf, type ModalityContext } from "../modalities/modality-context.ts";
import type { Runtime } from "../runtime/runtime.ts";
import {
  endDelivery,
  postponeDelivery,
  putDeadLetter,
  readDelivery,
  trimDeadLetters,
  type Delivery,
  type StoredDelivery,
} from "./delivery-rows.ts";
import type { DeadLetterRow } from "./event-records.ts";

const TRIM_SHARE = 1 / 64;

export interface DeliveryParts {
  readonly database: Database;
  readonly engine: SchedulerEngine;
  readonly modality: () => ModalityContext;
  readonly runtime: Runtime;
}

/** How a call ended. */
interface End {
  readonly error?: PlinthError;
  readonly invocation: string | null;
}

export async function runDelivery(parts: DeliveryParts, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { database } = parts;
  const { scope, key } = delivery;
  const stored = await database.read(scope, ({ records }) => readDelivery(records, key));
  if (stored === undefined) return;
  const end = await call(parts, delivery, { stored, signal });
  if (end.error?.code === "ShuttingDown" || signal.aborted) return;
  await settle(parts, delivery, { stored, end });
  // Now and then, so that it costs little of what putting dead letters does.
  if (end.error !== undefined && parts.runtime.random() < TRIM_SHARE) await trimDeadLetters(database, scope);
}

async function call(
  { engine, modality }: DeliveryParts,
  { scope }: Delivery,
  { stored, signal }: { readonly stored: StoredDelivery; readonly signal: AbortSignal },
): Promise<End> {
  const { row, event } = stored;
  try {
    const request = await AUTOMATION.prepare(modality(), scope, {
      snapInId: row.snapInId,
      automation: row.automation,
      function: row.function,
      eventType: event.type,
      userId: row.user,
      causeDepth: (event.causeDepth ?? 0) + 1,
      payload: payloadOf(stored),
      // After a call that was lost, its key answers that it was lost.
      idempotencyKey: `${row.key}:${row.attempts}`,
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
  { database, runtime }: DeliveryParts,
  { scope, key }: Delivery,
  { stored, end }: { readonly stored: StoredDelivery; readonly end: End },
): Promise<void> {
  const nowMs = runtime.nowMs();
  const jitter = runtime.random();
  await database.update(scope, async ({ records }) => {
    const row = await records.get(DELIVERIES, key);
    if (row === undefined || row.key !== stored.row.key || row.attempts !== stored.row.attempts) return;
    const place = { records, scope };
    if (end.error === undefined) return await endDelivery(place, key, row);
    const { code, message } = end.error;
    const error = { code, message };
    if (code === "BudgetExceeded") {
      // Nothing was called. It waits until there is a budget again.
      const dueMs = nowMs + Math.round(limit("eventBudgetPauseMs") * (1 + jitter));
      postponeDelivery(place, key, { row, next: { attempts: row.attempts, dueMs, error, invocation: end.invocation } });
      return;
    }
    const attempts = row.attempts + 1;
    if (canRetry(end.error) && attempts < limit("eventAttemptsMax")) {
      // A call that was lost with its host is done again at once.
      const pauseMs = code === "RunnerLost" && attempts === 1 ? 0 : retryDelayMs({ kind: "platform", attempt: attempts, jitter });
      postponeDelivery(place, key, {
        row,
        next: { attempts, dueMs: Math.max(nowMs + pauseMs, row.dueMs + 1), error, invocation: end.invocation },
      });
      return;
    }
    const letter: DeadLetterRow = {
      id: row.key,
      event: stored.event,
      snapInId: row.snapInId,
      automation: row.automation,
      attempts,
      diedMs: nowMs,
      error,
      invocation: end.invocation,
      delivery: row,
    };
    await putDeadLetter(place, letter);
    await endDelivery(place, key, row);
  });
}

/** Failures that are nobody's, and those that time heals. What the function asked for was done already. */
function canRetry({ spec, code }: PlinthError): boolean {
  return spec.fault === "platform" || code === "TooManyConcurrentRequests" || code === "ExpiredInQueue" || code === "Cancelled";
}

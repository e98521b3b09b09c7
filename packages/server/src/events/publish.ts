/** Puts an event into a transaction (V1). */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "../database/database.ts";
import { EVENT_KEYS, EVENT_KEYS_BY_TIME } from "../database/record-tables.ts";
import type { NewEvent } from "./events.ts";

export async function publishEvent(
  transaction: Transaction,
  event: NewEvent,
  nowMs: number,
  /** Throws when there is no room for another one; absent for what was acknowledged before. */
  checkRoom?: () => void,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const payloadText = JSON.stringify(event.payload ?? {});
  checkEvent(event, payloadText);
  const known = await knownEvent(transaction, event);
  if (known !== undefined) return { id: known, isNew: false };
  checkRoom?.();
  const { type, sourceId, syncId, causeDepth = 0 } = event;
  const depth = causeDepth === 0 ? {} : { causeDepth };
  const id = transaction.putEvent({ type, sourceId, payloadText, syncId, createdMs: nowMs, ...depth });
  if (event.key !== undefined) await keepKey(transaction, { sourceId: sourceId ?? "", key: event.key, id, nowMs });
  return { id, isNew: true };
}

/** Throws RequestTooLarge. */
export function checkEvent({ type, syncId, key }: Pick<NewEvent, "type" | "syncId" | "key">, payloadText: string): void {
  const bytesMax = limit("eventPayloadBytesMax");
  const bytes = Buffer.byteLength(payloadText);
  if (bytes > bytesMax) throw plinthError("RequestTooLarge", { what: "payload of the event", actual: `${bytes} bytes`, max: bytesMax });
  const max = limit("eventSyncIdBytesMax");
  for (const text of [type, syncId ?? "", key ?? ""]) {
    const actual = Buffer.byteLength(text);
    if (actual > max) throw plinthError("RequestTooLarge", { what: "type, sync id or key of the event", actual: `${actual} bytes`, max });
  }
}

async function knownEvent({ records }: Transaction, { key, sourceId }: NewEvent): Promise<string | undefined> {
  return key === undefined ? undefined : (await records.get(EVENT_KEYS, [sourceId ?? "", key]))?.eventId;
}

async function keepKey(
  { records }: Transaction,
  entry: { readonly sourceId: string; readonly key: string; readonly id: string; readonly nowMs: number },
): Promise<void> {
  const { sourceId, key, id, nowMs } = entry;
  records.put(EVENT_KEYS, [sourceId, key], { eventId: id, createdMs: nowMs });
  records.put(EVENT_KEYS_BY_TIME, [nowMs, sourceId, key], true);
  // More are forgotten than one event adds, so that the list becomes shorter when events become rarer.
  for (const { key: old } of await records.range(EVENT_KEYS_BY_TIME, { prefix: [], limit: 3 })) {
    if (Number(old[0]) >= nowMs - limit("eventKeyRetentionMs")) break;
    records.delete(EVENT_KEYS_BY_TIME, old);
    records.delete(EVENT_KEYS, [String(old[1]), String(old[2])]);
  }
}

/**
 * Deliveries, as they change in transactions.
 *
 * A delivery whose turn it is has a mark in the queue; of those of one group only the first has. Each transaction reads what it
 * decides by, so that two that decide at the same time conflict.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, KeyPart, Records, Scope } from "../database/database.ts";
import { DEAD_LETTERS, DEAD_LETTERS_BY_TIME, DELIVERIES, DELIVERY_GROUPS, DELIVERY_QUEUE, EVENTS } from "../database/record-tables.ts";
import type { DeadLetterRow, DeliveryRow, EventPlace, EventRow } from "./event-records.ts";

export type DeliveryKey = readonly [...EventPlace, sourceId: string, automation: string];

export interface Delivery {
  readonly scope: Scope;
  readonly key: DeliveryKey;
}

export interface StoredDelivery {
  readonly row: DeliveryRow;
  readonly event: EventRow;
}

type Place = { readonly records: Records; readonly scope: Scope };

export function placeOf(key: DeliveryKey): EventPlace {
  return [key[0], key[1], key[2]];
}

export function deliveryKeyOf(parts: readonly KeyPart[]): DeliveryKey {
  const [ts, random, sequence, sourceId, automation] = parts;
  return [Number(ts), String(random), Number(sequence), String(sourceId), String(automation)];
}

/** Stores a delivery behind those of its group. Whether it has its turn already. */
export async function addDelivery({ records, scope }: Place, key: DeliveryKey, row: DeliveryRow): Promise<boolean> {
  records.put(DELIVERIES, key, row);
  if (row.group !== null) {
    const [first] = await records.range(DELIVERY_GROUPS, { prefix: [row.group], limit: 1 });
    records.put(DELIVERY_GROUPS, [row.group, ...key], true);
    if (first !== undefined) return false;
  }
  putMark({ records, scope }, key, row);
  return true;
}

export async function readDelivery(records: Records, key: DeliveryKey): Promise<StoredDelivery | undefined> {
  const row = await records.get(DELIVERIES, key);
  const event = row === undefined ? undefined : await records.get(EVENTS, placeOf(key));
  return row === undefined || event === undefined ? undefined : { row, event };
}

/** A delivery without its event. */
export interface NextDelivery {
  readonly key: DeliveryKey;
  readonly row: DeliveryRow;
}

/** Takes a delivery away, the event with its last one, and gives the next of the group its turn. The next, where there is one. */
export async function endDelivery(place: Place, key: DeliveryKey, row: DeliveryRow): Promise<NextDelivery | undefined> {
  const { records } = place;
  deleteMark(place, key, row);
  const isLast = row.isOnly === true || (await records.range(DELIVERIES, { prefix: placeOf(key), limit: 2 })).length < 2;
  records.delete(DELIVERIES, key);
  if (isLast) records.delete(EVENTS, placeOf(key));
  if (row.group === null) return undefined;
  records.delete(DELIVERY_GROUPS, [row.group, ...key]);
  const [next] = await records.range(DELIVERY_GROUPS, { prefix: [row.group], limit: 1 });
  if (next === undefined) return undefined;
  const nextKey = deliveryKeyOf(next.key.slice(1));
  const nextRow = await records.get(DELIVERIES, nextKey);
  if (nextRow === undefined) return undefined;
  putMark(place, nextKey, nextRow);
  return { key: nextKey, row: nextRow };
}

/** Lets it wait for its next call, with those of its group behind it. */
export function postponeDelivery(
  place: Place,
  key: DeliveryKey,
  change: { readonly row: DeliveryRow; readonly next: Pick<DeliveryRow, "attempts" | "dueMs" | "error" | "invocation" | "hostTs"> },
): void {
  const row = { ...change.row, ...change.next };
  deleteMark(place, key, change.row);
  place.records.put(DELIVERIES, key, row);
  putMark(place, key, row);
}

/** V4 */
export async function putDeadLetter({ records }: Pick<Place, "records">, letter: DeadLetterRow): Promise<void> {
  records.put(DEAD_LETTERS, [letter.id], letter);
  records.put(DEAD_LETTERS_BY_TIME, [letter.diedMs, letter.id], true);
  // More are forgotten than are added, so that the list becomes shorter when failures become rarer.
  for (const { key } of await records.range(DEAD_LETTERS_BY_TIME, { prefix: [], limit: 3 })) {
    if (Number(key[0]) >= letter.diedMs - limit("deadLetterRetentionMs")) break;
    deleteDeadLetter({ records }, { id: String(key[1]), diedMs: Number(key[0]) });
  }
}

/** Forgets the oldest of a branch beyond `max`. Beside the transactions that put some, which would conflict with its reading. */
export async function trimDeadLetters(
  database: Pick<Database, "read" | "update">,
  scope: Scope,
  max = limit("deadLettersMax"),
): Promise<void> {
  const rows = await database.read(scope, ({ records }) => records.range(DEAD_LETTERS_BY_TIME, { prefix: [], limit: 2 * max }));
  const over = rows.slice(0, Math.max(0, rows.length - max)).map(({ key }) => ({ diedMs: Number(key[0]), id: String(key[1]) }));
  if (over.length === 0) return;
  await database.update(scope, async ({ records }) => {
    for (const letter of over) deleteDeadLetter({ records }, letter);
  });
}

export function deleteDeadLetter({ records }: Pick<Place, "records">, { id, diedMs }: Pick<DeadLetterRow, "id" | "diedMs">): void {
  records.delete(DEAD_LETTERS, [id]);
  records.delete(DEAD_LETTERS_BY_TIME, [diedMs, id]);
}

function putMark({ records, scope }: Place, key: DeliveryKey, row: DeliveryRow): void {
  records.put(DELIVERY_QUEUE, [scope.tenant, scope.branch, row.dueMs, ...key], true);
}

function deleteMark({ records, scope }: Place, key: DeliveryKey, row: DeliveryRow): void {
  records.delete(DELIVERY_QUEUE, [scope.tenant, scope.branch, row.dueMs, ...key]);
}

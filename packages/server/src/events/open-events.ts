/** Makes `Events`. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { DEAD_LETTERS, DELIVERIES, EVENT_KEYS, EVENT_KEYS_BY_TIME, EVENT_QUEUE, EVENTS } from "../database/record-tables.ts";
import { addDelivery, deliveryKeyOf, type DeliveryKey } from "./delivery-rows.ts";
import { Dispatcher, type DispatcherParts } from "./dispatcher.ts";
import type { DeadLetterRow } from "./event-records.ts";
import type { DeadLetter, Events, NewEvent } from "./events.ts";

export function openEvents(parts: DispatcherParts): Events {
  return new StoredEvents(parts);
}

class StoredEvents implements Events {
  readonly #parts: DispatcherParts;
  readonly #dispatcher: Dispatcher;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts);
  }

  async publish(transaction: Transaction, event: NewEvent): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const nowMs = this.#parts.runtime.nowMs();
    const payloadText = JSON.stringify(event.payload ?? {});
    checkSizes(event, payloadText);
    const known = await knownEvent(transaction, event);
    if (known !== undefined) return { id: known, isNew: false };
    const { type, sourceId, syncId } = event;
    const id = transaction.putEvent({ type, sourceId, payloadText, syncId, createdMs: nowMs });
    if (event.key !== undefined) await keepKey(transaction, { sourceId: sourceId ?? "", key: event.key, id, nowMs });
    return { id, isNew: true };
  }

  async deadLetters(scope: Scope, page: { readonly after?: string; readonly limit: number }): Promise<readonly DeadLetter[]> {
    const { after } = page;
    const rows = await this.#database.read(scope, ({ records }) =>
      records.range(DEAD_LETTERS, { prefix: [], limit: page.limit, ...(after === undefined ? {} : { after: [after] }) }),
    );
    return rows.map(({ value }) => shown(value));
  }

  async replay(scope: Scope, id: string): Promise<boolean> {
    return await this.#database.update(scope, async (transaction) => {
      const { records } = transaction;
      const letter = await records.get(DEAD_LETTERS, [id]);
      if (letter === undefined) return false;
      records.delete(DEAD_LETTERS, [id]);
      const { sourceId, automation, key } = letter.delivery;
      const nowMs = this.#parts.runtime.nowMs();
      const place = [transaction.ts, `replay ${id}`, 0] as const;
      const deliveryKey: DeliveryKey = [...place, sourceId, automation];
      records.put(EVENTS, place, letter.event);
      const row = { ...letter.delivery, key: nextKey(key), attempts: 0, dueMs: nowMs, error: null, invocation: null };
      await addDelivery({ records, scope }, deliveryKey, row);
      return true;
    });
  }

  async discard(scope: Scope, id: string): Promise<boolean> {
    return await this.#database.update(scope, async ({ records }) => {
      if ((await records.get(DEAD_LETTERS, [id])) === undefined) return false;
      records.delete(DEAD_LETTERS, [id]);
      return true;
    });
  }

  async waiting(scope: Scope) {
    return await this.#database.read(scope, async ({ records }) => {
      const max = limit("eventsShownMax");
      const rows = await records.range(DELIVERIES, { prefix: [], limit: max });
      const counts = new Map<string, { automation: string; snapInId: string; count: number; reason: string }>();
      const firstOfGroup = new Set<string>();
      for (const { key, value } of rows) {
        const { automation, snapInId, group, error } = value;
        const isBehind = group !== null && firstOfGroup.has(group);
        if (group !== null) firstOfGroup.add(group);
        const reason = isBehind
          ? "an earlier event with its sync id"
          : error !== null
            ? `the next attempt after: ${error.message}`
            : this.#dispatcher.isRunning(scope, deliveryKeyOf(key))
              ? "it runs"
              : "a free place";
        const name = JSON.stringify([snapInId, automation, reason]);
        const known = counts.get(name);
        if (known === undefined) counts.set(name, { automation, snapInId, count: 1, reason });
        else known.count++;
      }
      const marks = await records.range(EVENT_QUEUE, { prefix: [scope.tenant, scope.branch], limit: max });
      const fresh = {
        automation: "",
        snapInId: "",
        count: marks.length,
        reason: "events that are not given to automations yet, by commit",
      };
      return [...counts.values(), ...(marks.length === 0 ? [] : [fresh])];
    });
  }

  start(): Promise<void> {
    return this.#dispatcher.start();
  }

  stop(): Promise<void> {
    return this.#dispatcher.stop();
  }

  get #database(): Database {
    return this.#parts.database;
  }
}

function checkSizes({ syncId, key }: NewEvent, payloadText: string): void {
  const bytesMax = limit("eventPayloadBytesMax");
  const bytes = Buffer.byteLength(payloadText);
  if (bytes > bytesMax) throw plinthError("LimitExceeded", { what: "Bytes of the payload of an event", actual: bytes, max: bytesMax });
  const max = limit("eventSyncIdBytesMax");
  for (const text of [syncId ?? "", key ?? ""]) {
    const actual = Buffer.byteLength(text);
    if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of a sync id or key of an event", actual, max });
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

/** Calls of a replay are new ones. */
function nextKey(key: string): string {
  const [name = key, replays = "0"] = key.split(".");
  return `${name}.${Number(replays) + 1}`;
}

function shown({ id, event, snapInId, automation, attempts, diedMs, error, invocation }: DeadLetterRow): DeadLetter {
  const { payloadText, ...rest } = event;
  return {
    id,
    event: { ...rest, payload: JSON.parse(payloadText) as unknown },
    snapInId,
    automation,
    attempts,
    diedMs,
    error,
    invocation,
  };
}

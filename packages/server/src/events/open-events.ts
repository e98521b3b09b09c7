/** Makes `Events`. */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { DEAD_LETTERS, DELIVERIES, EVENT_QUEUE, EVENTS } from "../database/record-tables.ts";
import { addDelivery, deleteDeadLetter, deliveryKeyOf, type DeliveryKey } from "./delivery-rows.ts";
import { Dispatcher, type DispatcherParts } from "./dispatcher.ts";
import type { DeadLetterRow } from "./event-records.ts";
import type { DeadLetter, Events, FlowEvent, NewEvent } from "./events.ts";
import { scheduleFlowEvent, unscheduleFlowEvent } from "./flow-events.ts";
import { publishEvent } from "./publish.ts";

export function openEvents(parts: DispatcherParts): Events {
  return new StoredEvents(parts);
}

class StoredEvents implements Events {
  readonly #parts: DispatcherParts;
  readonly #dispatcher: Dispatcher;
  #counting: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts);
  }

  publish(transaction: Transaction, event: NewEvent): Promise<{ readonly id: string; readonly isNew: boolean }> {
    return publishEvent(transaction, event, this.#parts.runtime.nowMs(), () => this.#checkRoom(transaction.scope, event.causeDepth));
  }

  schedule(transaction: Transaction, event: FlowEvent): Promise<{ readonly key: string }> {
    const { runtime } = this.#parts;
    const newKey = `evk_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`;
    const checkRoom = () => this.#checkRoom(transaction.scope, event.causeDepth);
    return scheduleFlowEvent(transaction, event, { nowMs: runtime.nowMs(), newKey, checkRoom });
  }

  unschedule(transaction: Transaction, sourceId: string, key: string): Promise<boolean> {
    return unscheduleFlowEvent(transaction, sourceId, key);
  }

  async deadLetters(scope: Scope, page: { readonly after?: string; readonly limit: number }): Promise<readonly DeadLetter[]> {
    const { after } = page;
    const rows = await this.#database.read(scope, ({ records }) =>
      records.range(DEAD_LETTERS, { prefix: [], limit: page.limit, ...(after === undefined ? {} : { after: [after] }) }),
    );
    return rows.map(({ value }) => shown(value));
  }

  async deadLetter(scope: Scope, id: string): Promise<DeadLetter | undefined> {
    const row = await this.#database.read(scope, ({ records }) => records.get(DEAD_LETTERS, [id]));
    return row === undefined ? undefined : shown(row);
  }

  async replay(scope: Scope, id: string): Promise<boolean> {
    return await this.#database.update(scope, async (transaction) => {
      const { records } = transaction;
      const letter = await records.get(DEAD_LETTERS, [id]);
      if (letter === undefined) return false;
      this.#checkRoom(scope, 0);
      deleteDeadLetter({ records }, letter);
      const { sourceId, automation, key } = letter.delivery;
      const nowMs = this.#parts.runtime.nowMs();
      const place = [transaction.ts, `replay ${id}`, 0] as const;
      const deliveryKey: DeliveryKey = [...place, sourceId, automation];
      const { causeDepth: _, ...event } = letter.event;
      records.put(EVENTS, place, event);
      const row = { ...letter.delivery, key: nextKey(key), attempts: 0, dueMs: nowMs, error: null, invocation: null };
      await addDelivery({ records, scope }, deliveryKey, row);
      return true;
    });
  }

  async discard(scope: Scope, id: string): Promise<boolean> {
    return await this.#database.update(scope, async ({ records }) => {
      const letter = await records.get(DEAD_LETTERS, [id]);
      if (letter === undefined) return false;
      deleteDeadLetter({ records }, letter);
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

  backlog(scope: Scope): { readonly count: number; readonly max: number } {
    const { waitingEvents } = this.#database;
    return { count: waitingEvents.count(scope), max: waitingEvents.maxOf("outside") };
  }

  async start(): Promise<void> {
    this.#counting = this.#database.waitingEvents
      .load(this.#database, () => this.#isStopped)
      .catch((error: unknown) => this.#parts.log.error({ err: error }, "the events that wait could not be counted"));
    await this.#dispatcher.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#dispatcher.stop(), this.#counting]);
  }

  #checkRoom(scope: Scope, causeDepth = 0): void {
    this.#database.waitingEvents.check(scope, { isChange: false, causeDepth });
  }

  get #database(): Database {
    return this.#parts.database;
  }
}

/** Calls of a replay are new ones. */
function nextKey(key: string): string {
  const [name = key, replays = "0"] = key.split(".");
  return `${name}.${Number(replays) + 1}`;
}

function shown({ id, event, snapInId, automation, attempts, diedMs, error, invocation }: DeadLetterRow): DeadLetter {
  const { payloadText, causeDepth: _, ...rest } = event;
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

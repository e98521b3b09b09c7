/**
 * Writes the events of one transaction.
 *
 * An event lies behind all events that its cause could have seen, because its key begins with the moment of the cause's snapshot.
 * Of causes that overlapped in time neither saw the other; they conflict where they change the same document, and have no order
 * anywhere else.
 */
import type { Records, Scope } from "../database/database.ts";
import { EVENT_QUEUE, EVENTS } from "../database/record-tables.ts";
import type { EventRow } from "./event-records.ts";

export interface EventWriterOptions {
  readonly records: Records;
  readonly scope: Scope;
  /** Moment of the snapshot. */
  readonly ts: number;
  /** Tells transactions of the same snapshot apart. */
  readonly random: string;
  /** Of the call that is the cause; an event may say its own. */
  readonly causeDepth: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  #sequence = 0;

  constructor(options: EventWriterOptions) {
    this.#options = options;
  }

  /** Id of the event that is put next. */
  get nextId(): string {
    const { ts, random } = this.#options;
    return `evt_${ts.toString(36)}_${random}_${this.#sequence}`;
  }

  put(event: Omit<EventRow, "id">): string {
    const { records, scope, ts, random, causeDepth } = this.#options;
    const id = this.nextId;
    const depth = causeDepth === 0 ? {} : { causeDepth };
    records.put(EVENTS, [ts, random, this.#sequence++], { id, ...depth, ...event });
    // Again with each event: a nested call that is undone takes its own mark back only.
    records.put(EVENT_QUEUE, [scope.tenant, scope.branch, ts, random], { next: 0, createdMs: event.createdMs });
    return id;
  }
}

/**
 * The pins of the store (S8), in two forms: rows of the database, which the writer thread changes with the batch that they
 * belong to and which decide what is collected, and a copy in the host's memory, which says what can be read.
 *
 * N1 A pin that has ended holds on until its end is at or before the horizon, because until then moments can be read at
 *    which it held. So a reader that holds such a moment needs nothing else to keep what the pin keeps.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Key, KeyRange, Pin, PinChanges, Timestamp } from "../store.ts";
import { allRows, bytesAt, integerAt } from "./connection.ts";

export interface StoredPin extends Pin {
  /** Infinity while the pin holds. */
  readonly endedTs: Timestamp;
}

const COLUMNS = "SELECT id, range_start, range_end, at, ended_ts FROM pins";

export function readPins(database: DatabaseSync): StoredPin[] {
  return pinsOf(database.prepare(COLUMNS));
}

function pinsOf(statement: StatementSync): StoredPin[] {
  return allRows(statement).map((row) => ({
    id: bytesAt(row, 0),
    range: { start: bytesAt(row, 1), end: bytesAt(row, 2) },
    at: integerAt(row, 3),
    endedTs: row[4] === null ? Infinity : integerAt(row, 4),
  }));
}

/** The rows, within the transactions of the writer thread. */
export class PinTable {
  readonly #all: StatementSync;
  readonly #make: StatementSync;
  readonly #end: StatementSync;
  readonly #remove: StatementSync;
  #known: { readonly pins: readonly StoredPin[]; readonly moments: PinnedMoments } | undefined;

  constructor(database: DatabaseSync) {
    this.#all = database.prepare(COLUMNS);
    this.#make = database.prepare("INSERT INTO pins (id, range_start, range_end, at, made_ts) VALUES (?1, ?2, ?3, ?4, ?5)");
    this.#end = database.prepare("UPDATE pins SET ended_ts = ?2 WHERE id = ?1 AND ended_ts IS NULL");
    this.#remove = database.prepare("DELETE FROM pins WHERE id = ?1");
  }

  change(ts: Timestamp, { made, ended }: PinChanges): void {
    this.#known = undefined;
    for (const { id, range, at } of made) this.#make.run(id, range.start, range.end, at, ts);
    for (const id of ended) this.#end.run(id, ts);
  }

  /** Removes a pin whose range holds nothing of it any more. */
  remove(id: Key): void {
    this.#known = undefined;
    this.#remove.run(id);
  }

  /** What was read is not what the database holds: a transaction was undone. */
  forget(): void {
    this.#known = undefined;
  }

  /** Whether a value that stood from `from` until `until` is needed. */
  keeps(key: Key, interval: { readonly from: Timestamp; readonly until: Timestamp }, horizon: Timestamp): boolean {
    return this.#read().moments.keeps(key, interval, horizon);
  }

  /** A pin that holds nothing any more. */
  firstEnded(horizon: Timestamp): StoredPin | undefined {
    return this.#read().pins.find(({ endedTs }) => endedTs <= horizon);
  }

  #read(): { readonly pins: readonly StoredPin[]; readonly moments: PinnedMoments } {
    if (this.#known === undefined) {
      const pins = pinsOf(this.#all);
      this.#known = { pins, moments: new PinnedMoments(pins) };
    }
    return this.#known;
  }
}

/** Pinned moments, found by key. */
class PinnedMoments {
  /** By the start of the range. */
  readonly #pins: readonly StoredPin[];
  /** The greatest end of a range up to this place: before it no range holds a key from there on. */
  readonly #endsUpTo: readonly Key[];

  constructor(pins: readonly StoredPin[]) {
    this.#pins = pins.toSorted((a, b) => compareBytes(a.range.start, b.range.start));
    const ends: Key[] = [];
    for (const { range } of this.#pins) {
      const before = ends.at(-1);
      ends.push(before === undefined || compareBytes(before, range.end) < 0 ? range.end : before);
    }
    this.#endsUpTo = ends;
  }

  keeps(key: Key, { from, until }: { readonly from: Timestamp; readonly until: Timestamp }, horizon: Timestamp): boolean {
    for (let at = this.#lastStartingUpTo(key); at >= 0; at--) {
      const pin = this.#pins[at];
      const end = this.#endsUpTo[at];
      if (pin === undefined || end === undefined || compareBytes(end, key) <= 0) return false;
      if (pin.endedTs > horizon && from <= pin.at && pin.at < until && compareBytes(key, pin.range.end) < 0) return true;
    }
    return false;
  }

  #lastStartingUpTo(key: Key): number {
    let low = 0;
    let high = this.#pins.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const pin = this.#pins[middle];
      if (pin !== undefined && compareBytes(pin.range.start, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The copy in the host's memory. */
export class PinBook {
  readonly #byMoment = new Map<Timestamp, Map<string, StoredPin>>();
  readonly #momentOf = new Map<string, Timestamp>();
  readonly #ended = new Map<string, Timestamp>();

  constructor(pins: readonly StoredPin[]) {
    for (const pin of pins) this.#put(pin);
  }

  /** A durable batch has changed the pins. */
  change(ts: Timestamp, { made, ended }: PinChanges, horizon: Timestamp): void {
    for (const { id, range, at } of made) {
      const own = { id: id.slice(), range: { start: range.start.slice(), end: range.end.slice() }, at };
      this.#put({ ...own, endedTs: Infinity });
    }
    for (const id of ended) {
      const pin = this.#pin(nameOf(id));
      if (pin?.endedTs === Infinity) this.#put({ ...pin, endedTs: ts });
    }
    for (const [name, endedTs] of this.#ended) if (endedTs <= horizon) this.#remove(name);
  }

  /** The end of a pin that makes `at` readable in all of `within`; undefined when there is none. */
  holdsUntil(at: Timestamp, within: KeyRange, horizon: Timestamp): Timestamp | undefined {
    let latest: Timestamp | undefined;
    for (const { range, endedTs } of this.#byMoment.get(at)?.values() ?? []) {
      if (endedTs <= horizon || compareBytes(range.start, within.start) > 0 || compareBytes(within.end, range.end) > 0) continue;
      if (latest === undefined || latest < endedTs) latest = endedTs;
    }
    return latest;
  }

  #put(pin: StoredPin): void {
    const name = nameOf(pin.id);
    const pins = this.#byMoment.get(pin.at) ?? new Map<string, StoredPin>();
    pins.set(name, pin);
    this.#byMoment.set(pin.at, pins);
    this.#momentOf.set(name, pin.at);
    if (pin.endedTs !== Infinity) this.#ended.set(name, pin.endedTs);
  }

  #pin(name: string): StoredPin | undefined {
    return this.#byMoment.get(this.#momentOf.get(name) ?? -1)?.get(name);
  }

  #remove(name: string): void {
    const at = this.#momentOf.get(name) ?? -1;
    const pins = this.#byMoment.get(at);
    pins?.delete(name);
    if (pins?.size === 0) this.#byMoment.delete(at);
    this.#momentOf.delete(name);
    this.#ended.delete(name);
  }
}

function nameOf(id: Key): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");
}

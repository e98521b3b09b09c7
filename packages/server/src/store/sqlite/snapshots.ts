import { setImmediate as nextTurn } from "node:timers/promises";
import { assert } from "@plinth/core/assert.ts";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Entry, Key, KeyRange, RangeOptions, Snapshot, Timestamp } from "../store.ts";
import type { MomentReader } from "./moment-reader.ts";

/** A range is read in steps of about this size. */
const STEP_BYTES = 1024 * 1024;
const FIRST_STEP_ROWS = 64;
const STEP_ROWS = 1024;

/** Knows the moments that are being read, so that nothing they need is collected (S5). */
export class MomentsInUse {
  readonly #users = new Map<Timestamp, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Holds a moment until the returned function is called; calling it twice is harmless. */
  hold(at: Timestamp): () => void {
    this.#users.set(at, (this.#users.get(at) ?? 0) + 1);
    this.#count += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#count -= 1;
      const others = (this.#users.get(at) ?? 1) - 1;
      if (others === 0) this.#users.delete(at);
      else this.#users.set(at, others);
    };
  }

  /** The oldest moment in use, or Infinity. */
  oldest(): Timestamp {
    let oldest = Infinity;
    for (const at of this.#users.keys()) if (at < oldest) oldest = at;
    return oldest;
  }
}

/** A view at one moment. It holds no connection, only its moment. */
export class MomentSnapshot implements Snapshot {
  readonly ts: Timestamp;
  readonly #reader: MomentReader;
  readonly #letGo: () => void;
  /** The only range that may be read, when not all of the moment is kept. */
  readonly #within: KeyRange | undefined;
  #released = false;

  constructor(ts: Timestamp, reader: MomentReader, held: { readonly letGo: () => void; readonly within?: KeyRange | undefined }) {
    this.ts = ts;
    this.#reader = reader;
    this.#letGo = held.letGo;
    this.#within = held.within;
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    this.#assertHeld();
    this.#assertWithin(key, key);
    return this.#reader.get(this.ts, key);
  }

  async range({ start, end, order, limit }: RangeOptions): Promise<Entry[]> {
    this.#assertWithin(start, end);
    const found: Entry[] = [];
    let rest: KeyRange | undefined = compareBytes(start, end) < 0 ? { start, end } : undefined;
    let bytes = 0;
    let rowsMax = Math.min(limit, FIRST_STEP_ROWS);
    while (rest !== undefined && found.length < limit) {
      if (bytes > 0 || rest.start !== start || rest.end !== end) await nextTurn();
      this.#assertHeld();
      const step = this.#reader.rangeStep(this.ts, { ...rest, order, rowsMax });
      for (const entry of step.entries) {
        found.push(entry);
        bytes += entry.key.length + entry.value.length;
      }
      rest = step.rest;
      rowsMax = nextStepRows(limit - found.length, found.length, bytes);
    }
    return found.length > limit ? found.slice(0, limit) : found;
  }

  release(): void {
    this.#released = true;
    this.#letGo();
  }

  #assertWithin(first: Key, last: Key): void {
    const within = this.#within;
    if (within === undefined) return;
    assert(compareBytes(within.start, first) <= 0 && compareBytes(last, within.end) <= 0, "a snapshot of a range is read within it");
  }

  #assertHeld(): void {
    assert(!this.#released, "a snapshot is read before its release");
  }
}

/** Few rows where the entries are large, and never so few that rows that do not count need many steps. */
function nextStepRows(missing: number, entries: number, bytes: number): number {
  const entryBytes = entries === 0 ? STEP_BYTES / STEP_ROWS : bytes / entries;
  const affordable = Math.max(Math.floor(STEP_BYTES / entryBytes), 1);
  return Math.min(Math.max(missing, FIRST_STEP_ROWS), affordable, STEP_ROWS);
}

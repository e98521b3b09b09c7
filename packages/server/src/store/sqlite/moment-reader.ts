/**
 * Reads the state at a moment, by a connection that may see later commits too (S3, S5).
 *
 * M1 A row of `current` counts when its timestamp is not after the moment. Otherwise the value of that
 *    key, if it had one, lies in `replaced` in the interval that holds the moment.
 * M2 One step looks at a bounded number of rows, also when few of them count, so that a long range does
 *    not hold the event loop. Each step may see another pin; its result is the same.
 */
import type { StatementSync } from "node:sqlite";
import { must } from "@plinth/core/assert.ts";
import { compareBytes, keyAfter } from "@plinth/core/documents/keys.ts";
import type { Entry, Key, KeyRange, Timestamp } from "../store.ts";
import { allRows, bytesAt, firstRow, integerAt, type Row } from "./connection.ts";
import type { PinnedConnection } from "./pinned-connection.ts";
import type { RecentCommits } from "./recent-commits.ts";

/** What one step found, in order, and what is left of the range. */
export interface RangeStep {
  readonly entries: Entry[];
  readonly rest: KeyRange | undefined;
}

export interface StepOptions extends KeyRange {
  readonly order: "asc" | "desc";
  /** How many rows of each table the step looks at. */
  readonly rowsMax: number;
}

interface Step extends StepOptions {
  readonly at: Timestamp;
}

/** What a step saw of one table: it knows everything from its begin to `through`, or all when undefined. */
interface Seen {
  readonly entries: Entry[];
  readonly through: Key | undefined;
}

/** Up to so many commits after the moment, their keys are compared; beyond, the history table is walked. */
const RECENT_COMMITS_WALKED = 1000;

export class MomentReader {
  readonly #connection: PinnedConnection;
  readonly #recent: RecentCommits;
  readonly #get: StatementSync;
  readonly #getReplaced: StatementSync;
  readonly #ascending: StatementSync;
  readonly #descending: StatementSync;
  readonly #nextReplaced: StatementSync;
  readonly #previousReplaced: StatementSync;

  constructor(connection: PinnedConnection, recent: RecentCommits) {
    this.#connection = connection;
    this.#recent = recent;
    this.#get = connection.prepare("SELECT ts, value FROM current WHERE key = ?1");
    this.#getReplaced = connection.prepare(
      "SELECT from_ts, value FROM replaced WHERE key = ?1 AND until_ts > ?2 ORDER BY until_ts LIMIT 1",
    );
    const rows = "SELECT key, ts, CASE WHEN ts <= ?3 THEN value END FROM current WHERE key >= ?1 AND key < ?2";
    this.#ascending = connection.prepare(`${rows} ORDER BY key LIMIT ?4`);
    this.#descending = connection.prepare(`${rows} ORDER BY key DESC LIMIT ?4`);
    this.#nextReplaced = connection.prepare("SELECT key FROM replaced WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1");
    this.#previousReplaced = connection.prepare("SELECT key FROM replaced WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1");
  }

  get(at: Timestamp, key: Key): Uint8Array | undefined {
    return this.#connection.read((pin) => {
      const row = firstRow(this.#get, key);
      if (row !== undefined && integerAt(row, 0) <= at) return bytesAt(row, 1);
      return at === pin ? undefined : this.#replacedValue(at, key);
    });
  }

  /** Reads the next part of a range. */
  rangeStep(at: Timestamp, options: StepOptions): RangeStep {
    return this.#connection.read((pin) => {
      const step: Step = { ...options, at };
      const current = this.#currentEntries(step);
      if (at === pin) return { entries: current.entries, rest: restOf(step, current.through) };
      const replaced = this.#replacedEntries(withinSeen(step, current.through), pin);
      const through = nearer(step, current.through, replaced.through);
      const entries = merge(step, current.entries, replaced.entries);
      return { entries: upTo(step, entries, through), rest: restOf(step, through) };
    });
  }

  #currentEntries(step: Step): Seen {
    const statement = step.order === "desc" ? this.#descending : this.#ascending;
    const rows = allRows(statement, step.start, step.end, step.at, step.rowsMax);
    const last: Row | undefined = rows.length < step.rowsMax ? undefined : rows.at(-1);
    const entries: Entry[] = [];
    for (const row of rows) {
      if (integerAt(row, 1) <= step.at) entries.push({ key: bytesAt(row, 0), value: bytesAt(row, 2) });
    }
    return { entries, through: last === undefined ? undefined : bytesAt(last, 0) };
  }

  #replacedEntries(step: Step, pin: Timestamp): Seen {
    const commits = this.#recent.countBetween(step.at, pin);
    if (commits === undefined || commits > RECENT_COMMITS_WALKED) return this.#walkReplaced(step);
    const keys = this.#recent.keysWritten(step.at, pin, step);
    if (step.order === "desc") keys.reverse();
    const looked = keys.slice(0, step.rowsMax);
    return { entries: this.#valuesAt(step.at, looked), through: looked.length < keys.length ? looked.at(-1) : undefined };
  }

  /** Visits each key of the history table once, however often it was replaced. */
  #walkReplaced(step: Step): Seen {
    const keys: Key[] = [];
    let range: KeyRange | undefined = step;
    while (range !== undefined && keys.length < step.rowsMax) {
      const row = firstRow(step.order === "desc" ? this.#previousReplaced : this.#nextReplaced, range.start, range.end);
      if (row === undefined) return { entries: this.#valuesAt(step.at, keys), through: undefined };
      const key = bytesAt(row, 0);
      keys.push(key);
      range = restOf({ ...step, ...range }, key);
    }
    return { entries: this.#valuesAt(step.at, keys), through: keys.at(-1) };
  }

  #valuesAt(at: Timestamp, keys: readonly Key[]): Entry[] {
    const entries: Entry[] = [];
    for (const key of keys) {
      const value = this.#replacedValue(at, key);
      if (value !== undefined) entries.push({ key, value });
    }
    return entries;
  }

  #replacedValue(at: Timestamp, key: Key): Uint8Array | undefined {
    const row = firstRow(this.#getReplaced, key, at);
    return row !== undefined && integerAt(row, 0) <= at ? bytesAt(row, 1) : undefined;
  }
}

/** What of the step's range lies beyond `through`. */
function restOf(step: Step, through: Key | undefined): KeyRange | undefined {
  if (through === undefined) return undefined;
  const rest = step.order === "desc" ? { start: step.start, end: through } : { start: keyAfter(through), end: step.end };
  return compareBytes(rest.start, rest.end) < 0 ? rest : undefined;
}

/** The part of the step's range up to `through`, inclusive. */
function withinSeen(step: Step, through: Key | undefined): Step {
  if (through === undefined) return step;
  return step.order === "desc" ? { ...step, start: through } : { ...step, end: keyAfter(through) };
}

function nearer(step: Step, a: Key | undefined, b: Key | undefined): Key | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return inOrder(step, a, b) <= 0 ? a : b;
}

function inOrder(step: Step, a: Key, b: Key): number {
  return step.order === "desc" ? compareBytes(b, a) : compareBytes(a, b);
}

/** Merges two ordered lists without a common key. */
function merge(step: Step, a: readonly Entry[], b: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = must(a[i], "an entry");
    const right = must(b[j], "an entry");
    if (inOrder(step, left.key, right.key) < 0) {
      merged.push(left);
      i += 1;
    } else {
      merged.push(right);
      j += 1;
    }
  }
  return [...merged, ...a.slice(i), ...b.slice(j)];
}

function upTo(step: Step, entries: Entry[], through: Key | undefined): Entry[] {
  if (through === undefined) return entries;
  const beyond = entries.findIndex(({ key }) => inOrder(step, key, through) > 0);
  return beyond < 0 ? entries : entries.slice(0, beyond);
}

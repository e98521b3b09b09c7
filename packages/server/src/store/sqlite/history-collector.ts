/**
 * Removes history that no readable moment needs (S5), in slices, so that commits wait for one short
 * slice at most. Runs in the writer thread.
 *
 * H1 The horizon is durable no later than the first removal that it allows.
 * H2 What is removed was replaced at or before the horizon; so every moment from the horizon on stays whole.
 * H3 The newest row of the log stays, for it holds the last timestamp.
 * H4 What a pin keeps stays when its commit leaves the log. When the end of a pin has come to the horizon, its range is searched
 *    for what nothing keeps any more, and the pin is removed last.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { must } from "@plinth/core/assert.ts";
import type { Key, Timestamp } from "../store.ts";
import { allRows, bytesAt, firstRow, integerAt } from "./connection.ts";
import { decodeKeys } from "./group-encoding.ts";
import type { PinTable, StoredPin } from "./pins.ts";

export interface SliceLimits {
  readonly keysMax: number;
  readonly bytesMax: number;
}

/** How much one slice may still do. */
interface Left {
  keys: number;
  bytes: number;
}

export class HistoryCollector {
  readonly #database: DatabaseSync;
  readonly #pins: PinTable;
  readonly #limits: SliceLimits;
  readonly #setHorizon: StatementSync;
  readonly #oldestCommit: StatementSync;
  readonly #size: StatementSync;
  readonly #removeValue: StatementSync;
  readonly #removeCommit: StatementSync;
  readonly #replacedInRange: StatementSync;
  /** The newest commit when it was visited: its row stays, but there is nothing more to remove for it. */
  #emptied: Timestamp = -1;
  /** Where the last slice stopped within a commit that is too large for one. */
  #resume: { readonly ts: Timestamp; readonly index: number } | undefined;
  /** Where the search of the range of an ended pin stands. */
  #search: { readonly pin: StoredPin; readonly key: Key; readonly until: Timestamp } | undefined;

  constructor(database: DatabaseSync, pins: PinTable, limits: SliceLimits) {
    this.#database = database;
    this.#pins = pins;
    this.#limits = limits;
    this.#setHorizon = database.prepare("UPDATE meta SET value = ?1 WHERE name = 'horizon' AND value < ?1");
    this.#oldestCommit = database.prepare("SELECT ts, keys, ts = (SELECT max(ts) FROM log) FROM log WHERE ts <= ?1 ORDER BY ts LIMIT 1");
    this.#size = database.prepare("SELECT length(value), from_ts FROM replaced WHERE key = ?1 AND until_ts = ?2");
    this.#removeValue = database.prepare("DELETE FROM replaced WHERE key = ?1 AND until_ts = ?2");
    this.#removeCommit = database.prepare("DELETE FROM log WHERE ts = ?1");
    this.#replacedInRange = database.prepare(
      "SELECT key, until_ts, from_ts, length(value) FROM replaced WHERE (key, until_ts) > (?1, ?2) AND key < ?3 ORDER BY key, until_ts LIMIT ?4",
    );
  }

  /** Removes one slice. `done` says that nothing is left to remove up to this horizon. */
  collectSlice(horizon: Timestamp): { readonly removed: number; readonly done: boolean } {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#setHorizon.run(horizon);
      const left = { keys: this.#limits.keysMax, bytes: this.#limits.bytesMax };
      const old = this.#removeOldest(horizon, left);
      const result = old.done ? this.#searchEnded(horizon, { left, removed: old.removed }) : old;
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#resume = undefined;
      this.#search = undefined;
      this.#emptied = -1;
      this.#pins.forget();
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #removeOldest(horizon: Timestamp, left: Left): { removed: number; done: boolean } {
    let removed = 0;
    for (;;) {
      const row = firstRow(this.#oldestCommit, horizon);
      if (row === undefined) return { removed, done: true };
      const ts = integerAt(row, 0);
      const isNewest = integerAt(row, 2) === 1;
      if (isNewest && ts === this.#emptied) return { removed, done: true };
      const keys = decodeKeys(bytesAt(row, 1));
      let index = this.#resume?.ts === ts ? this.#resume.index : 0;
      for (; index < keys.length; index++) {
        if (left.keys <= 0 || left.bytes <= 0) {
          this.#resume = { ts, index };
          return { removed, done: false };
        }
        const bytes = this.#removeReplaced(must(keys[index], "the index is within the keys").key, { until: ts, horizon });
        left.keys -= 1;
        if (bytes === undefined) continue;
        left.bytes -= bytes;
        removed += 1;
      }
      if (isNewest) this.#emptied = ts;
      else this.#removeCommit.run(ts);
      left.keys -= 1;
    }
  }

  /** Removes what a commit replaced under `key`, unless a pin keeps it; the length of the value, if it was removed. */
  #removeReplaced(key: Key, { until, horizon }: { readonly until: Timestamp; readonly horizon: Timestamp }): number | undefined {
    const row = firstRow(this.#size, key, until);
    if (row === undefined || this.#pins.keeps(key, { from: integerAt(row, 1), until }, horizon)) return undefined;
    this.#removeValue.run(key, until);
    return integerAt(row, 0);
  }

  /** Searches the ranges of ended pins for values whose commits have left the log. */
  #searchEnded(horizon: Timestamp, { left, removed }: { left: Left; removed: number }): { removed: number; done: boolean } {
    for (;;) {
      const pin = this.#search?.pin ?? this.#pins.firstEnded(horizon);
      if (pin === undefined) return { removed, done: true };
      if (left.keys <= 0 || left.bytes <= 0) return { removed, done: false };
      const { key: after, until: afterUntil } = this.#search ?? { key: pin.range.start, until: -1 };
      const rows = allRows(this.#replacedInRange, after, afterUntil, pin.range.end, left.keys);
      let last: { readonly key: Key; readonly until: Timestamp } | undefined;
      if (rows.length === 0) left.keys -= 1;
      let whole = rows.length < left.keys;
      for (const row of rows) {
        if (left.bytes <= 0) {
          whole = false;
          break;
        }
        left.keys -= 1;
        const [key, until] = [bytesAt(row, 0), integerAt(row, 1)];
        last = { key, until };
        if (until > horizon || this.#pins.keeps(key, { from: integerAt(row, 2), until }, horizon)) continue;
        this.#removeValue.run(key, until);
        left.bytes -= integerAt(row, 3);
        removed += 1;
      }
      this.#search = whole || last === undefined ? undefined : { pin, ...last };
      if (this.#search === undefined) this.#pins.remove(pin.id);
    }
  }
}

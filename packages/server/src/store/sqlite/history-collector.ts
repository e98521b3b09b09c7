/**
 * Removes history that no readable moment needs (S5), in slices, so that commits wait for one short
 * slice at most. Runs in the writer thread.
 *
 * H1 The horizon is durable no later than the first removal that it allows.
 * H2 What is removed was replaced at or before the horizon; so every moment from the horizon on stays whole.
 * H3 The newest row of the log stays, for it holds the last timestamp.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { must } from "@plinth/core/assert.ts";
import type { Timestamp } from "../store.ts";
import { bytesAt, firstRow, integerAt } from "./connection.ts";
import { decodeKeys } from "./group-encoding.ts";

export interface SliceLimits {
  readonly keysMax: number;
  readonly bytesMax: number;
}

export class HistoryCollector {
  readonly #database: DatabaseSync;
  readonly #limits: SliceLimits;
  readonly #setHorizon: StatementSync;
  readonly #oldestCommit: StatementSync;
  readonly #size: StatementSync;
  readonly #removeValue: StatementSync;
  readonly #removeCommit: StatementSync;
  /** The newest commit when it was visited: its row stays, but there is nothing more to remove for it. */
  #emptied: Timestamp = -1;
  /** Where the last slice stopped within a commit that is too large for one. */
  #resume: { readonly ts: Timestamp; readonly index: number } | undefined;

  constructor(database: DatabaseSync, limits: SliceLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#setHorizon = database.prepare("UPDATE meta SET value = ?1 WHERE name = 'horizon' AND value < ?1");
    this.#oldestCommit = database.prepare("SELECT ts, keys, ts = (SELECT max(ts) FROM log) FROM log WHERE ts <= ?1 ORDER BY ts LIMIT 1");
    this.#size = database.prepare("SELECT length(value) FROM replaced WHERE key = ?1 AND until_ts = ?2");
    this.#removeValue = database.prepare("DELETE FROM replaced WHERE key = ?1 AND until_ts = ?2");
    this.#removeCommit = database.prepare("DELETE FROM log WHERE ts = ?1");
  }

  /** Removes one slice. `done` says that nothing is left to remove up to this horizon. */
  collectSlice(horizon: Timestamp): { readonly removed: number; readonly done: boolean } {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#setHorizon.run(horizon);
      const result = this.#removeOldest(horizon);
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#resume = undefined;
      this.#emptied = -1;
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #removeOldest(horizon: Timestamp): { removed: number; done: boolean } {
    const left = { keys: this.#limits.keysMax, bytes: this.#limits.bytesMax };
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
        const bytes = this.#removeReplaced(must(keys[index], "the index is within the keys").key, ts);
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

  /** Removes what the commit `ts` replaced under `key`; the length of the value, if there was one. */
  #removeReplaced(key: Uint8Array, ts: Timestamp): number | undefined {
    const size = firstRow(this.#size, key, ts);
    if (size === undefined) return undefined;
    this.#removeValue.run(key, ts);
    return integerAt(size, 0);
  }
}

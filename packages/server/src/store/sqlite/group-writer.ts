/**
 * Writes groups of batches (S1, S2): the whole group in one SQL transaction and with one sync. Runs in
 * the writer thread.
 *
 * W1 A batch is reported as written only after the transaction that holds it is on the disk.
 * W2 When a transaction fails, nothing of it stays, and each of its batches is tried alone, so that one
 *    batch that cannot be written does not take others with it.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { reasonOf } from "./connection.ts";
import type { PinChanges, Timestamp } from "../store.ts";
import type { DecodedBatch } from "./group-encoding.ts";
import type { PinTable } from "./pins.ts";
import type { BatchFailure } from "./writer-protocol.ts";

export class GroupWriter {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #keepReplaced: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #append: StatementSync;
  readonly #pins: PinTable;

  constructor(database: DatabaseSync, pins: PinTable) {
    this.#database = database;
    this.#pins = pins;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#keepReplaced = database.prepare(
      "INSERT INTO replaced (key, until_ts, from_ts, value) SELECT key, ?2, ts, value FROM current WHERE key = ?1",
    );
    this.#put = database.prepare("INSERT OR REPLACE INTO current (key, value, ts) VALUES (?1, ?2, ?3)");
    this.#delete = database.prepare("DELETE FROM current WHERE key = ?1");
    this.#append = database.prepare("INSERT INTO log (ts, keys) VALUES (?1, ?2)");
  }

  /** Makes the batches durable with their changes of pins, in their order, and returns those that could not be written. */
  write(batches: readonly DecodedBatch[], pins: ReadonlyMap<Timestamp, PinChanges> = new Map()): BatchFailure[] {
    try {
      this.#writeTogether(batches, pins);
      return [];
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#pins.forget();
      const [only, ...others] = batches;
      if (only !== undefined && others.length === 0) {
        this.#coverRemains();
        return [{ ts: only.ts, reason: reasonOf(error) }];
      }
      return batches.flatMap((batch) => this.write([batch], pins));
    }
  }

  #writeTogether(batches: readonly DecodedBatch[], pins: ReadonlyMap<Timestamp, PinChanges>): void {
    this.#begin.run();
    for (const { ts, keys, writes } of batches) {
      for (const { key, value } of writes) {
        this.#keepReplaced.run(key, ts);
        if (value === null) this.#delete.run(key);
        else this.#put.run(key, value, ts);
      }
      this.#append.run(ts, keys);
      const changes = pins.size === 0 ? undefined : pins.get(ts);
      if (changes !== undefined) this.#pins.change(ts, changes);
    }
    this.#commit.run();
  }

  /**
   * A transaction that failed at its last sync lies complete in the write-ahead log, beyond its valid
   * end, and a crash right now would bring it to life. The next transaction writes over it: this one.
   */
  #coverRemains(): void {
    try {
      this.#database.exec("UPDATE meta SET value = value WHERE name = 'ts_floor'");
    } catch {
      // The disk takes nothing at the moment; the next batch that it takes does the same.
    }
  }
}

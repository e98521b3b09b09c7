/**
 * Owns the one connection by which the host reads, and the moment that it sees.
 *
 * C1 All statements of one `read` see the same moment, which it is told.
 * C2 The pin is held from read to read, because taking it costs as much as a small read; it is dropped
 *    when the database has changed. So reads see everything that was answered, and the write-ahead
 *    log can start anew, which it cannot while a reader holds an old part of it.
 * C3 Nothing that lives longer than one `read` may rely on the pin: snapshots name their moment, and what
 *    changed since is looked up in the history.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { plinthError } from "@plinth/core/errors.ts";
import type { Timestamp } from "../store.ts";
import { firstRow, integerAt, openConnection, reasonOf } from "./connection.ts";

export class PinnedConnection {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #last: StatementSync;
  #pin: Timestamp | undefined;
  #keepsPin = true;
  #closed = false;

  constructor(databaseFile: string, options: { cacheBytes: number }) {
    this.#database = openConnection(databaseFile, { readOnly: true, cacheBytes: options.cacheBytes, lockWaitMs: 1000 });
    this.#begin = this.#database.prepare("BEGIN");
    this.#end = this.#database.prepare("COMMIT");
    this.#last = this.#database.prepare("SELECT ts FROM log ORDER BY ts DESC LIMIT 1");
  }

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /** Runs `statements` at one moment and gives it to them: the timestamp of the last commit that is visible. */
  read<T>(statements: (pin: Timestamp) => T): T {
    if (this.#closed) throw plinthError("ShuttingDown", {});
    try {
      const pin = this.#pin ?? this.#takePin();
      const result = statements(pin);
      if (!this.#keepsPin) this.dropPin();
      return result;
    } catch (error) {
      this.dropPin();
      if (!(error instanceof Error && "errcode" in error)) throw error;
      throw plinthError("StoreFailure", { what: `read: ${reasonOf(error)}` }, { cause: error });
    }
  }

  /** Lets the next read see the newest state. */
  dropPin(): void {
    if (this.#pin === undefined) return;
    this.#pin = undefined;
    if (this.#database.isTransaction) this.#end.run();
  }

  /** While the write-ahead log is moved, each read takes and drops a pin of its own. */
  keepPin(keeps: boolean): void {
    this.#keepsPin = keeps;
    if (!keeps) this.dropPin();
  }

  close(): void {
    this.#closed = true;
    this.dropPin();
    this.#database.close();
  }

  #takePin(): Timestamp {
    this.#begin.run();
    try {
      const row = firstRow(this.#last);
      this.#pin = row === undefined ? 0 : integerAt(row, 0);
      return this.#pin;
    } catch (error) {
      this.#end.run();
      throw error;
    }
  }
}

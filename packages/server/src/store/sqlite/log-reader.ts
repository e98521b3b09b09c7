import type { StatementSync } from "node:sqlite";
import { assert, must } from "@plinth/core/assert.ts";
import type { Commit, Timestamp, Write } from "../store.ts";
import { allRows, bytesAt, firstRow, integerAt } from "./connection.ts";
import type { CommittedKeys } from "./commit-pipeline.ts";
import { decodeKeys, type KeyMark } from "./group-encoding.ts";
import type { PinnedConnection } from "./pinned-connection.ts";

/** Commits that one step reads, so that a long log does not hold the event loop. */
const STEP_COMMITS = 64;

/** Reads the ordered commits back: their keys from the log, their values from where they lie by now. */
export class LogReader {
  readonly #connection: PinnedConnection;
  readonly #commits: StatementSync;
  readonly #commit: StatementSync;
  readonly #oldest: StatementSync;
  readonly #currentValue: StatementSync;
  readonly #replacedValue: StatementSync;

  constructor(connection: PinnedConnection) {
    this.#connection = connection;
    this.#commits = connection.prepare("SELECT ts, keys FROM log WHERE ts > ?1 AND ts <= ?2 ORDER BY ts LIMIT ?3");
    this.#commit = connection.prepare("SELECT ts FROM log WHERE ts = ?1");
    this.#oldest = connection.prepare("SELECT ts FROM log ORDER BY ts LIMIT 1");
    this.#currentValue = connection.prepare("SELECT value FROM current WHERE key = ?1 AND ts = ?2");
    this.#replacedValue = connection.prepare(
      "SELECT from_ts, value FROM replaced WHERE key = ?1 AND until_ts > ?2 ORDER BY until_ts LIMIT 1",
    );
  }

  /** The first commits in after < ts ≤ until: at most `limit`, and fewer if they are many. */
  commits(after: Timestamp, until: Timestamp, limit: number): Commit[] {
    return this.#connection.read(() => {
      const rows = allRows(this.#commits, after, until, Math.min(limit, STEP_COMMITS));
      return rows.map((row) => {
        const ts = integerAt(row, 0);
        return { ts, writes: decodeKeys(bytesAt(row, 1)).map((mark) => this.#write(ts, mark)) };
      });
    });
  }

  /** The keys of the first commits after `at`. */
  keysAfter(at: Timestamp): CommittedKeys {
    return this.#connection.read((pin) => {
      const rows = allRows(this.#commits, at, pin, STEP_COMMITS);
      const commits = rows.map((row) => ({ ts: integerAt(row, 0), keys: decodeKeys(bytesAt(row, 1)).map(({ key }) => key) }));
      return { commits, through: rows.length < STEP_COMMITS ? pin : must(commits.at(-1), "a full step has commits").ts };
    });
  }

  oldest(): Timestamp | undefined {
    return this.#connection.read(() => {
      const row = firstRow(this.#oldest);
      return row === undefined ? undefined : integerAt(row, 0);
    });
  }

  find(timestamps: readonly Timestamp[]): ReadonlySet<Timestamp> {
    return this.#connection.read(() => new Set(timestamps.filter((ts) => firstRow(this.#commit, ts) !== undefined)));
  }

  #write(ts: Timestamp, { key, deleted }: KeyMark): Write {
    if (deleted) return { key, value: null };
    const current = firstRow(this.#currentValue, key, ts);
    if (current !== undefined) return { key, value: bytesAt(current, 0) };
    const replaced = must(firstRow(this.#replacedValue, key, ts), "what a commit wrote is kept as long as the commit");
    assert(integerAt(replaced, 0) === ts, "the history of a key has no holes");
    return { key, value: bytesAt(replaced, 1) };
  }
}

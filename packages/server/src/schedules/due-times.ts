/** What is due next in each branch, kept up with the commits of the store; no transaction is asked when nothing changes. */
import { compareBytes, decodeKeyValues } from "@plinth/core/documents/keys.ts";
import type { Database, Scope } from "../database/database.ts";
import { DUE_TIMES, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Commit, KeyRange } from "../store/store.ts";
import type { DueKind } from "./scheduled-functions.ts";

export interface Due {
  readonly scope: Scope;
  readonly dueMs: number;
  readonly kind: DueKind;
  readonly id: string;
}

export interface DueChange {
  readonly due: Due;
  readonly change: "added" | "removed";
}

export class DueTimes {
  readonly #database: Database;
  readonly #range: KeyRange;

  constructor(database: Database) {
    this.#database = database;
    this.#range = database.recordRange(PLATFORM_SCOPE, DUE_TIMES);
  }

  /** Due rows that a commit wrote or deleted. */
  changesOf(commit: Commit): DueChange[] {
    const changes: DueChange[] = [];
    for (const { key, value } of commit.writes) {
      if (compareBytes(key, this.#range.start) < 0 || compareBytes(key, this.#range.end) >= 0) continue;
      // The range of a table begins with the prefix of its rows; the encoded key follows it.
      changes.push({ due: dueOf(decodeKeyValues(key.subarray(this.#range.start.length))), change: value === null ? "removed" : "added" });
    }
    return changes;
  }

  /** The earliest rows of a branch. */
  async earliest(scope: Scope, limit: number): Promise<Due[]> {
    return await this.#database.read(PLATFORM_SCOPE, async ({ records }) =>
      (await records.range(DUE_TIMES, { prefix: [scope.tenant, scope.branch], limit })).map(({ key }) => dueOf(key)),
    );
  }

  /** The first row of each branch that has one. */
  async *branches(): AsyncGenerator<Due> {
    let after: readonly [string, string, number] | undefined;
    for (;;) {
      const [row] = await this.#database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(DUE_TIMES, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
      );
      if (row === undefined) return;
      const due = dueOf(row.key);
      yield due;
      after = [due.scope.tenant, due.scope.branch, Number.MAX_VALUE];
    }
  }
}

function dueOf(key: readonly unknown[]): Due {
  const [tenant, branch, dueMs, kind, id] = key;
  return {
    scope: { tenant: String(tenant), branch: String(branch) },
    dueMs: Number(dueMs),
    kind: kind === "cron" || kind === "timer" || kind === "flowEvent" || kind === "flow" ? kind : "function",
    id: String(id),
  };
}

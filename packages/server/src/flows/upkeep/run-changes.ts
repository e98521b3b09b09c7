/** Wakes those who watch runs: one listener of commits, however many watch. */
import { must } from "@plinth/core/assert.ts";
import type { Database, Scope } from "../../database/database.ts";
import { FLOW_RUNS } from "../../database/record-tables.ts";
import type { Key, Store } from "../../store/store.ts";

type Commits = Pick<Store, "onCommit">;

export class RunChanges {
  readonly #database: Pick<Database, "recordRange">;
  /** By the store key of the row of their run. */
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #listening = new Map<Commits, { count: number; readonly stop: () => void }>();

  constructor(database: Pick<Database, "recordRange">) {
    this.#database = database;
  }

  /** Calls `wake` after each commit into the run. Returns the way to stop. */
  on(commits: Commits, scope: Scope, run: string, wake: () => void): () => void {
    const key = textOf(this.#database.recordRange(scope, FLOW_RUNS, [run]).start);
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(wake));
    const listening = this.#listening.get(commits) ?? { count: 0, stop: this.#listen(commits) };
    this.#listening.set(commits, listening);
    listening.count += 1;
    return () => {
      if (!watchers.delete(wake)) return;
      if (watchers.size === 0) this.#watchers.delete(key);
      this.#leave(commits);
    };
  }

  #listen(commits: Commits): () => void {
    return commits.onCommit(({ writes }) => {
      for (const { key } of writes) for (const wake of this.#watchers.get(textOf(key)) ?? []) wake();
    });
  }

  #leave(commits: Commits): void {
    const listening = must(this.#listening.get(commits), "who watches is listened for");
    listening.count -= 1;
    if (listening.count > 0) return;
    listening.stop();
    this.#listening.delete(commits);
  }
}

function textOf(key: Key): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

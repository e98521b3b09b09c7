/** The branches that were used last, remembered over restarts for the cache warmer. A crash forgets the uses of the last minute. */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { PLATFORM_SCOPE, USED_BRANCHES } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";

const ROW = ["used"];

export class UsedBranches {
  readonly #options: { readonly database: Database; readonly runtime: Runtime; readonly log: Log };
  /** The order of a Map is that of insertion; the last key is the one used last. */
  readonly #used = new Map<string, Scope>();
  #changed = false;
  #timer: { cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { readonly database: Database; readonly runtime: Runtime; readonly log: Log }) {
    this.#options = options;
  }

  /** Reads what an earlier host left; the latest first. */
  async load(): Promise<readonly Scope[]> {
    const stored = (await this.#options.database.read(PLATFORM_SCOPE, ({ records }) => records.get(USED_BRANCHES, ROW))) ?? [];
    const sinceStart = [...this.#used];
    this.#used.clear();
    for (const scope of stored.toReversed()) this.#used.set(keyOf(scope), scope);
    for (const [key, scope] of sinceStart) this.#put(key, scope);
    return stored;
  }

  /** Notes a use, in memory; the list is stored a while later. Called for each request, so the common case does nothing. */
  note(scope: Scope): void {
    const key = keyOf(scope);
    if (this.#last === key) return;
    this.#last = key;
    this.#put(key, { tenant: scope.tenant, branch: scope.branch });
    this.#changed = true;
    this.#timer ??= this.#options.runtime.timer(limit("usedBranchesWriteMs"), () => {
      this.#timer = undefined;
      this.#writing = this.flush();
    });
  }
  #last = "";

  /** Takes a branch from the list. */
  forget(scope: Scope): void {
    this.#changed = this.#used.delete(keyOf(scope)) || this.#changed;
    this.#last = "";
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    await this.flush();
  }

  async flush(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const { database, log } = this.#options;
    const list = [...this.#used.values()].toReversed();
    try {
      await database.update(PLATFORM_SCOPE, async ({ records }) => records.put(USED_BRANCHES, ROW, list));
    } catch (error) {
      log.warn({ err: error }, "the list of used branches could not be stored");
    }
  }

  #put(key: string, scope: Scope): void {
    this.#used.delete(key);
    this.#used.set(key, scope);
    for (const oldest of this.#used.keys()) {
      if (this.#used.size <= limit("usedBranchesMax")) return;
      this.#used.delete(oldest);
    }
  }
}

function keyOf(scope: Scope): string {
  return `${scope.tenant}|branch:${scope.branch}`;
}

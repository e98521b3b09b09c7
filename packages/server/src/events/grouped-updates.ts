/**
 * Changes of a branch that commit together, because a commit costs the same for one as for many.
 *
 * U1 A change commits wholly or not at all, in the order in which changes came. What one finds, those before it have written.
 * U2 Changes that come while a commit of their branch is under way take the next one. A patient one waits for company before that,
 *    and not longer than `eventSettleWaitMs`.
 * U3 When changes cannot commit together, each is tried alone: the failure of one is not that of its neighbours.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** May be run again after a conflict; has no effect but on the transaction. */
export type Change<T> = (transaction: Transaction) => Promise<T>;

interface Waiting {
  run(transaction: Transaction): Promise<void>;
  /** The last run has committed. */
  resolve(): void;
  reject(error: unknown): void;
}

interface Line {
  readonly waiting: Waiting[];
  isBusy: boolean;
  timer: { cancel(): void } | undefined;
}

export class GroupedUpdates {
  readonly #database: Pick<Database, "update">;
  readonly #runtime: Pick<Runtime, "timer">;
  readonly #lines = new Map<string, Line>();

  constructor(options: { readonly database: Pick<Database, "update">; readonly runtime: Pick<Runtime, "timer"> }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** Resolves with what `change` returned when it has committed. */
  run<T>(scope: Scope, change: Change<T>, options: { readonly isPatient?: boolean } = {}): Promise<T> {
    const name = `${scope.tenant}/${scope.branch}`;
    const line = this.#lines.get(name) ?? { waiting: [], isBusy: false, timer: undefined };
    this.#lines.set(name, line);
    return new Promise((resolve, reject) => {
      let result: { readonly value: T } | undefined;
      line.waiting.push({
        run: async (transaction) => {
          result = { value: await change(transaction) };
        },
        resolve: () => {
          if (result !== undefined) resolve(result.value);
        },
        reject,
      });
      if (line.isBusy) return;
      if (options.isPatient !== true || line.waiting.length >= limit("eventFanOutMax")) void this.#commitAll(scope, name, line);
      else line.timer ??= this.#runtime.timer(limit("eventSettleWaitMs"), () => void this.#commitAll(scope, name, line));
    });
  }

  async #commitAll(scope: Scope, name: string, line: Line): Promise<void> {
    line.timer?.cancel();
    line.timer = undefined;
    line.isBusy = true;
    while (line.waiting.length > 0) {
      const group = line.waiting.splice(0, limit("eventFanOutMax"));
      if (await this.#commit(scope, group)) continue;
      for (const one of group) await this.#commit(scope, [one]); // U3
    }
    line.isBusy = false;
    this.#lines.delete(name);
  }

  /** False when those of the group have no answer yet. */
  async #commit(scope: Scope, group: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#database.update(scope, async (transaction) => {
        for (const each of group) await each.run(transaction);
      });
    } catch (error) {
      if (group.length > 1) return false;
      group[0]?.reject(error);
      return true;
    }
    for (const each of group) each.resolve();
    return true;
  }
}

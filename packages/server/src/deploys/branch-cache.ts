/**
 * What a branch serves, in memory: its functions and its environment. A bounded number of branches is kept, the
 * least recently used go first.
 *
 * C1 Whatever was read before a change is never served after the change is acknowledged: `forget` makes every
 *    reading that is under way uncacheable, and the next caller reads again.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { FunctionTable } from "./function-table.ts";

export interface BranchState {
  /** undefined when nothing was deployed yet. */
  readonly functions: FunctionTable | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

export class BranchCache {
  readonly #load: (scope: Scope) => Promise<BranchState>;
  readonly #states = new Map<string, Promise<BranchState>>();

  constructor(load: (scope: Scope) => Promise<BranchState>) {
    this.#load = load;
  }

  /** Callers that come together share one reading. */
  get(scope: Scope): Promise<BranchState> {
    const key = keyOf(scope);
    const known = this.#states.get(key);
    if (known !== undefined) {
      // The order of a Map is that of insertion; the first key is the one unused for longest.
      this.#states.delete(key);
      this.#states.set(key, known);
      return known;
    }
    const loading = this.#load(scope);
    this.#states.set(key, loading);
    loading.catch(() => {
      if (this.#states.get(key) === loading) this.#states.delete(key);
    });
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= limit("cachedHeadsMax")) break;
      this.#states.delete(oldest);
    }
    return loading;
  }

  forget(scope: Scope): void {
    this.#states.delete(keyOf(scope));
  }
}

export function keyOf(scope: Scope): string {
  return `${scope.tenant}/${scope.branch}`;
}

/**
 * Handlers of branch heads, in memory, by `fn:{id}|branch:{name}`. The least recently used go first.
 *
 * C1 Whatever was read before a head moved is never served after the move is acknowledged: `forget` makes every reading that is
 *    under way uncacheable, and the next caller reads again.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";

type Resolved = Promise<ResolvedFunction | undefined>;

export class HandlerCache {
  readonly #entries = new Map<string, Resolved>();

  get(scope: Scope, path: string, load: () => Resolved): Resolved {
    const key = `fn:${path}|branch:${scope.tenant}/${scope.branch}`;
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    const entry = known ?? load();
    this.#entries.set(key, entry);
    if (known === undefined) {
      const drop = (): void => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      };
      // What is not there is not kept: callers choose how many names that are.
      entry.then((fn) => (fn === undefined ? drop() : undefined), drop);
      for (const oldest of this.#entries.keys()) {
        if (this.#entries.size <= limit("cachedHandlersMax")) break;
        this.#entries.delete(oldest);
      }
    }
    return entry;
  }

  forget(scope: Scope): void {
    const end = `|branch:${scope.tenant}/${scope.branch}`;
    for (const key of this.#entries.keys()) if (key.endsWith(end)) this.#entries.delete(key);
  }
}

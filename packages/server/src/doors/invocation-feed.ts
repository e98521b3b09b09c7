/** Tells those who follow a branch's logs about each invocation that ends there. */
import type { Scope } from "../database/database.ts";
import type { InvocationOutcome } from "../engine/invocation.ts";

export interface FinishedInvocation {
  readonly scope: Scope;
  readonly atMs: number;
  readonly outcome: InvocationOutcome;
}

export class InvocationFeed {
  readonly #listeners = new Map<string, Set<(finished: FinishedInvocation) => void>>();

  publish(finished: FinishedInvocation): void {
    const listeners = this.#listeners.get(keyOf(finished.scope));
    if (listeners === undefined) return;
    for (const listener of listeners) listener(finished);
  }

  subscribe(scope: Scope, listener: (finished: FinishedInvocation) => void): () => void {
    const key = keyOf(scope);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }
}

function keyOf(scope: Scope): string {
  return `${scope.tenant}/${scope.branch}`;
}

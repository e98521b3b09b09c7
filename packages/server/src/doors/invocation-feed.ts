/** Tells those who follow a branch's logs about each invocation that ends there. */
import type { Scope } from "../database/database.ts";
import type { LogLine } from "../engine/invocation.ts";

/** What a follower of logs sees of an invocation. */
export interface FinishedInvocation {
  readonly id: string;
  readonly functionPath: string;
  readonly atMs: number;
  readonly logs: readonly LogLine[];
  readonly logsDropped: number;
  /** Message and stack when it failed. */
  readonly failure?: string;
}

export class InvocationFeed {
  readonly #listeners = new Map<string, Set<(finished: FinishedInvocation) => void>>();

  /** Whether anybody listens; work for nobody can be saved. */
  hasListeners(scope: Scope): boolean {
    return this.#listeners.has(keyOf(scope));
  }

  publish(scope: Scope, finished: FinishedInvocation): void {
    const listeners = this.#listeners.get(keyOf(scope));
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

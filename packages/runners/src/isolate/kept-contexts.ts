/**
 * Contexts of calls that ended well, kept for the next call that may share them (`SharedContext` of the protocol).
 *
 * K1. Only a call of the same key, version and variables gets one, and each context serves one call at a time.
 * K2. There are so many at most, each for a short time: what is kept is alive, so the collector walks through it.
 */
import type { InvokeEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallContext } from "./call-context.ts";

export const KEPT_CONTEXTS_MAX = 16;
export const KEEP_MS = 5000;

type KeptContext = Pick<CallContext, "digest" | "environmentRead" | "leave" | "release">;

interface Kept<Context> {
  readonly context: Context;
  readonly variables: string;
  readonly sinceMs: number;
}

export class KeptContexts<Context extends KeptContext = CallContext> {
  /** By key, the one that was kept last is last. */
  readonly #contexts = new Map<string, Kept<Context>>();

  has(key: string): boolean {
    return this.#contexts.has(key);
  }

  /** The context for this call, which is kept no longer. One under its key that it may not have is given up. */
  take(envelope: InvokeEnvelope): Context | undefined {
    const { contextOf, version } = envelope;
    const kept = contextOf === undefined ? undefined : this.#contexts.get(contextOf.key);
    if (contextOf === undefined || kept === undefined) return undefined;
    this.#contexts.delete(contextOf.key);
    const { context } = kept;
    const { environmentRead } = context;
    const fits =
      !contextOf.isAnew &&
      context.digest === version &&
      kept.variables === sharedVariables(envelope) &&
      (environmentRead === undefined || environmentRead === JSON.stringify(envelope.env));
    if (fits) return context;
    context.release();
    return undefined;
  }

  keep(context: Context, envelope: InvokeEnvelope): void {
    const { contextOf } = envelope;
    if (contextOf === undefined) return context.release();
    context.leave();
    this.drop(contextOf.key);
    this.#contexts.set(contextOf.key, { context, variables: sharedVariables(envelope), sinceMs: performance.now() });
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > KEPT_CONTEXTS_MAX && oldest !== undefined) this.drop(oldest);
  }

  drop(key: string): void {
    this.#contexts.get(key)?.context.release();
    this.#contexts.delete(key);
  }

  /** Drops those that nobody came for in time. */
  expire(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#contexts) {
      if (nowMs - sinceMs < KEEP_MS) return;
      this.drop(key);
    }
  }

  /** Drops those of a version. */
  forget(digest: string): void {
    for (const [key, { context }] of this.#contexts) if (context.digest === digest) this.drop(key);
  }

  clear(): void {
    for (const key of this.#contexts.keys()) this.drop(key);
  }

  /** Their isolate is gone, and they with it. */
  lose(): void {
    this.#contexts.clear();
  }
}

/** JSON of the variables that all calls which share the context have. */
function sharedVariables({ env, contextOf }: InvokeEnvelope): string {
  const shared = Object.entries(env).filter(([name]) => contextOf?.own.includes(name) !== true);
  return JSON.stringify(shared.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Decides where a call's code runs. On the main thread entering an isolate costs 1.5 µs; through the
 * isolate's own thread it costs 45 µs of processor and 60 µs of time, but the runner stays free to serve
 * others and can end what hangs. So a function runs on a thread of its own until it has proven to be quick.
 */
import type { InvokeEnvelope } from "@plinth/core/protocol/runner-protocol.ts";

const PROOFS = 2;
const QUICK_MS = 10;
const SLOW_MS = 25;
const FUNCTIONS_MAX = 5000;

/** The name under which a call's function is known here. */
export function paceName({ version, kind, path }: InvokeEnvelope): string {
  return `${version} ${kind} ${path}`;
}

export class Pace {
  /** Function → quick calls in a row. */
  readonly #proofs = new Map<string, number>();

  isQuick(name: string): boolean {
    return (this.#proofs.get(name) ?? 0) >= PROOFS;
  }

  /**
   * `longestMs` is the longest time that the call's code ran without waiting. A call that was cut short did not run all
   * of its code, so it can show that a function is slow, but not that it is quick.
   */
  record(name: string, { longestMs, cutShort }: { readonly longestMs: number; readonly cutShort: boolean }): void {
    const before = this.#proofs.get(name) ?? 0;
    const proven = before >= PROOFS;
    if (longestMs <= (proven ? SLOW_MS : QUICK_MS)) {
      if (!proven && !cutShort) this.#set(name, before + 1);
    } else this.#set(name, 0);
  }

  #set(name: string, proofs: number): void {
    if (this.#proofs.size >= FUNCTIONS_MAX) this.#proofs.clear();
    this.#proofs.set(name, proofs);
  }
}

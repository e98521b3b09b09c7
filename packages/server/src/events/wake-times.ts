/** One timer for the earliest of the times at which branches have something to do. */
import { MinHeap } from "@plinth/core/policy/min-heap.ts";
import type { Scope } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";

interface Wake {
  readonly atMs: number;
  readonly scope: Scope;
}

export class WakeTimes {
  readonly #runtime: Pick<Runtime, "nowMs" | "timer">;
  readonly #wake: (scope: Scope) => void;
  readonly #heap = new MinHeap<Wake>((a, b) => a.atMs - b.atMs);
  /** The earliest time of each branch; later entries of the heap that are not here were overtaken. */
  readonly #earliest = new Map<string, number>();
  #timer: { readonly atMs: number; cancel(): void } | undefined;
  #stopped = false;

  constructor(runtime: Pick<Runtime, "nowMs" | "timer">, wake: (scope: Scope) => void) {
    this.#runtime = runtime;
    this.#wake = wake;
  }

  add(scope: Scope, atMs: number): void {
    const name = `${scope.tenant}/${scope.branch}`;
    const known = this.#earliest.get(name);
    if (this.#stopped || (known !== undefined && known <= atMs)) return;
    this.#earliest.set(name, atMs);
    this.#heap.push({ atMs, scope });
    this.#setTimer();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #setTimer(): void {
    const first = this.#heap.peek();
    if (this.#stopped || first === undefined || (this.#timer !== undefined && this.#timer.atMs <= first.atMs)) return;
    this.#timer?.cancel();
    // A timer may fire a millisecond early.
    const timer = this.#runtime.timer(Math.max(0, first.atMs - this.#runtime.nowMs()) + 1, () => {
      this.#timer = undefined;
      this.#fire();
    });
    this.#timer = { atMs: first.atMs, cancel: () => timer.cancel() };
  }

  #fire(): void {
    const nowMs = this.#runtime.nowMs();
    for (let first = this.#heap.peek(); first !== undefined && first.atMs <= nowMs; first = this.#heap.peek()) {
      this.#heap.pop();
      const name = `${first.scope.tenant}/${first.scope.branch}`;
      if (this.#earliest.get(name) !== first.atMs) continue;
      this.#earliest.delete(name);
      this.#wake(first.scope);
    }
    this.#setTimer();
  }
}

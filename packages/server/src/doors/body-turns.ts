/**
 * Lets requests begin in turns. Each holds the event loop for as long as it is parsed; a client that sends many at once would hold it
 * for all of them together, and everybody else would wait.
 *
 * T1 After each large body the loop is free for at least as long as that body held it, so what is small waits for one of them at most.
 * T2 Tenants take turns: one that has many waiting does not delay the only one of another.
 * T3 Of small requests a tenant begins what `LoopTurns` lets it.
 */
import { limit } from "@plinth/core/limits.ts";
import { LoopTurns } from "../engine/loop-turns.ts";
import type { Runtime } from "../runtime/runtime.ts";

type Waiting = () => void;

export class BodyTurns {
  readonly #runtime: Pick<Runtime, "monotonicMs" | "timer">;
  readonly #requests: LoopTurns;
  /** By tenant; the first one is next. */
  readonly #waiting = new Map<string, Waiting[]>();
  #isTaken = false;

  constructor(runtime: Pick<Runtime, "monotonicMs" | "timer">) {
    this.#runtime = runtime;
    this.#requests = new LoopTurns(runtime);
  }

  /** Resolves when a request with a body of this size may be worked on. */
  async turn(tenant: string, bytes: number): Promise<void> {
    await this.#requests.take(tenant);
    if (bytes < limit("largeBodyBytes")) return;
    if (this.#isTaken) await new Promise<void>((resolve) => this.#wait(tenant, resolve));
    this.#isTaken = true;
    const sinceMs = this.#runtime.monotonicMs();
    // What is parsed is parsed before the loop turns again.
    this.#runtime.timer(0, () => this.#rest(this.#runtime.monotonicMs() - sinceMs));
  }

  /** T1 */
  #rest(heldMs: number): void {
    this.#runtime.timer(heldMs, () => this.#next());
  }

  #wait(tenant: string, resolve: Waiting): void {
    const own = this.#waiting.get(tenant);
    if (own === undefined) this.#waiting.set(tenant, [resolve]);
    else own.push(resolve);
  }

  /** T2 */
  #next(): void {
    this.#isTaken = false;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [tenant, own] = first;
    this.#waiting.delete(tenant);
    const next = own.shift();
    if (own.length > 0) this.#waiting.set(tenant, own);
    // It has the turn from now on: what comes before it runs has to wait.
    this.#isTaken = true;
    next?.();
  }
}

/**
 * Hands stored calls to the engine: of one tenant, lane and priority at most as many as may run, among which
 * admission chooses; the rest wait here as ids only. Nothing polls: a call is handed over when it arrives or
 * when another one ends.
 */
import { assert } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Lane } from "@plinth/core/policy/admission.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { StoredCall } from "./async-store.ts";
import type { Priority, WaitReason } from "./invocation.ts";

export interface WaitingCall extends StoredCall {
  readonly lane: Lane;
  readonly priority: Priority;
  readonly argsBytes: number;
}

/** What waits of one tenant. */
interface Waiting {
  calls: number;
  argsBytes: number;
}

interface Line {
  /** In the order of arrival. */
  readonly waiting: Map<string, WaitingCall>;
  running: number;
}

const TENANT_WAIT: Readonly<Record<Lane, WaitReason>> = { query: "tenantQueries", mutation: "tenantMutations", action: "tenantActions" };

export class AsyncDispatcher {
  readonly #runtime: Runtime;
  readonly #perTenant: Readonly<Record<Lane, number>>;
  readonly #run: (call: WaitingCall) => Promise<void>;
  readonly #lines = new Map<string, Line>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #delayed = new Map<string, { readonly call: WaitingCall; readonly cancel: () => void }>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  /** `run` never rejects. */
  constructor(options: {
    readonly runtime: Runtime;
    readonly perTenant: Readonly<Record<Lane, number>>;
    readonly run: (call: WaitingCall) => Promise<void>;
  }) {
    this.#runtime = options.runtime;
    this.#perTenant = options.perTenant;
    this.#run = options.run;
  }

  /** Keeps room for a new call until it is added, or refuses it when too much of the tenant waits. Returns what ends that. */
  keepRoom(tenant: string, argsBytes: number): () => void {
    const waiting = this.#waiting.get(tenant) ?? { calls: 0, argsBytes: 0 };
    const callsMax = limit("asyncQueueEntriesPerTenantMax");
    if (waiting.calls >= callsMax)
      throw plinthError("TooManyConcurrentRequests", { detail: `${callsMax} asynchronous calls of the tenant wait already` });
    const bytesMax = limit("asyncQueueBytesPerTenantMax");
    if (waiting.argsBytes + argsBytes > bytesMax) {
      throw plinthError("TooManyConcurrentRequests", {
        detail: `the arguments of the tenant's asynchronous calls that wait have ${waiting.argsBytes} bytes and may have ${bytesMax}`,
      });
    }
    this.#count(tenant, 1, argsBytes);
    return () => this.#count(tenant, -1, -argsBytes);
  }

  add(call: WaitingCall): void {
    if (this.#stopped) return;
    this.#countCall(call, 1);
    this.#line(call).waiting.set(call.id, call);
    this.#feed(call);
  }

  /** Adds a call when `delayMs` have passed. */
  addLater(call: WaitingCall, delayMs: number): void {
    if (this.#stopped) return;
    this.#countCall(call, 1);
    const timer = this.#runtime.timer(delayMs, () => {
      this.#delayed.delete(call.id);
      this.#countCall(call, -1);
      this.add(call);
    });
    this.#delayed.set(call.id, { call, cancel: () => timer.cancel() });
  }

  /** Takes a call back that was not handed over. */
  remove(id: string): void {
    const delayed = this.#delayed.get(id);
    if (delayed !== undefined) {
      delayed.cancel();
      this.#delayed.delete(id);
      this.#countCall(delayed.call, -1);
      return;
    }
    for (const { waiting } of this.#lines.values()) {
      const call = waiting.get(id);
      if (call === undefined) continue;
      waiting.delete(id);
      this.#countCall(call, -1);
      return;
    }
  }

  /** Why a call that is not handed over waits. */
  reasonOf(id: string): WaitReason | undefined {
    if (this.#delayed.has(id)) return "retryBackoff";
    for (const { waiting } of this.#lines.values()) {
      const call = waiting.get(id);
      if (call !== undefined) return TENANT_WAIT[call.lane];
    }
    return undefined;
  }

  /** Hands nothing over any more; resolves when what was handed over has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #feed(of: WaitingCall): void {
    const key = keyOf(of);
    const line = this.#lines.get(key);
    if (line === undefined) return;
    while (!this.#stopped && line.running < this.#perTenant[of.lane]) {
      const call = line.waiting.values().next().value;
      if (call === undefined) break;
      line.waiting.delete(call.id);
      this.#countCall(call, -1);
      line.running++;
      const ended = this.#run(call).finally(() => {
        this.#running.delete(ended);
        line.running--;
        this.#feed(call);
      });
      this.#running.add(ended);
    }
    if (line.running === 0 && line.waiting.size === 0) this.#lines.delete(key);
  }

  #line(call: WaitingCall): Line {
    const key = keyOf(call);
    let line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, (line = { waiting: new Map(), running: 0 }));
    return line;
  }

  #countCall({ scope, argsBytes }: WaitingCall, change: 1 | -1): void {
    this.#count(scope.tenant, change, change * argsBytes);
  }

  #count(tenant: string, calls: number, argsBytes: number): void {
    const waiting = this.#waiting.get(tenant) ?? { calls: 0, argsBytes: 0 };
    waiting.calls += calls;
    waiting.argsBytes += argsBytes;
    assert(waiting.calls >= 0 && waiting.argsBytes >= 0, "calls are counted in before they are counted out");
    if (waiting.calls === 0) this.#waiting.delete(tenant);
    else this.#waiting.set(tenant, waiting);
  }
}

function keyOf(call: WaitingCall): string {
  return `${call.lane} ${call.priority} ${call.scope.tenant}`;
}

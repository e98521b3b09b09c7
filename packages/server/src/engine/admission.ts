/** Second stage: waits for a place. Carries out what `core/policy/admission.ts` decides; one exact timer ends waits. */
import { must } from "@plinth/core/assert.ts";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import {
  admission,
  newAdmission,
  nextExpiryMs,
  type AdmissionDecision,
  type AdmissionPriority,
  type AdmissionState,
  type AdmissionWait,
  type Lane,
  type Ticket,
} from "@plinth/core/policy/admission.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Metrics, QueueStatus } from "../telemetry/metrics.ts";
import type { EngineConfig } from "./engine-config.ts";
import { LoopTurns } from "./loop-turns.ts";

/** A place to run. Left exactly once. */
export interface Place {
  leave(): void;
}

export interface EnterRequest {
  readonly tenant: string;
  readonly lane: Lane;
  readonly priority: AdmissionPriority;
  /** Longest wait; absent = as long as it takes. */
  readonly waitMsMax?: number;
  readonly signal: AbortSignal;
  /** A part of a call that runs: it goes on while the others are refused. */
  readonly ofRunningCall?: boolean;
  /** Called when it has to wait. */
  readonly onWait: (reason: AdmissionWait) => void;
}

interface Waiter {
  readonly request: EnterRequest;
  readonly sinceMs: number;
  readonly firstReason: AdmissionWait;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: unknown) => void;
  readonly stopListening: () => void;
}

export class Admission {
  readonly #state: AdmissionState;
  readonly #runtime: Runtime;
  readonly #metrics: Metrics;
  readonly #waiters = new Map<number, Waiter>();
  readonly #turns: LoopTurns;
  #timer: { readonly atMs: number; cancel(): void } | undefined;
  #lastId = 0;
  #closed: PlinthError | undefined;

  constructor(options: {
    readonly config: EngineConfig;
    readonly runtime: Runtime;
    readonly metrics: Metrics;
    readonly tenantMax?: (tenant: string) => number | undefined;
  }) {
    const { config } = options;
    this.#state = newAdmission({
      perTenant: config.perTenant,
      ...(options.tenantMax === undefined ? {} : { tenantMax: options.tenantMax }),
      host: config.host,
      queueEntriesPerTenantMax: limit("queueEntriesPerTenantMax"),
      queueEntriesMax: limit("queueEntriesMax"),
    });
    this.#runtime = options.runtime;
    this.#turns = new LoopTurns(options.runtime);
    this.#metrics = options.metrics;
  }

  /** Resolves with a place. Rejects with TooManyConcurrentRequests, ExpiredInQueue, ShuttingDown or the signal's reason. */
  async enter(request: EnterRequest): Promise<Place> {
    const place = await this.#enter(request);
    const turn = this.#turns.take(request.tenant);
    if (turn === undefined) return place;
    await turn;
    if (request.signal.aborted) place.leave();
    request.signal.throwIfAborted();
    return place;
  }

  async #enter(request: EnterRequest): Promise<Place> {
    if (this.#closed !== undefined && request.ofRunningCall !== true) throw this.#closed;
    request.signal.throwIfAborted();
    const nowMs = this.#runtime.monotonicMs();
    const ticket: Ticket = {
      id: ++this.#lastId,
      tenant: request.tenant,
      lane: request.lane,
      priority: request.priority,
      ...(request.waitMsMax === undefined ? {} : { expiresAtMs: nowMs + request.waitMsMax }),
    };
    const decision = must(admission(this.#state, { type: "arrive", ticket })[0], "an arrival is decided on");
    switch (decision.type) {
      case "start":
        return this.#place(ticket);
      case "refuse":
        throw plinthError("TooManyConcurrentRequests", {
          detail:
            decision.full === "tenant"
              ? `${limit("queueEntriesPerTenantMax")} calls of the tenant wait already`
              : `${limit("queueEntriesMax")} calls wait already`,
        });
      case "wait":
        request.onWait(decision.reason);
        return await this.#wait(ticket, { request, sinceMs: nowMs, firstReason: decision.reason });
      case "expired":
        throw expired(request.waitMsMax ?? 0, decision.reason);
    }
  }

  status(): QueueStatus {
    return {
      waiting: this.#waiters.size,
      runningTransactions: this.#state.groups.transaction.running,
      runningActions: this.#state.groups.action.running,
    };
  }

  /** Refuses new calls and those that wait. Running ones keep their places, and what they call gets some. */
  close(error: PlinthError): void {
    this.#closed = error;
    for (const [id, waiter] of this.#waiters) {
      if (waiter.request.ofRunningCall === true) continue;
      admission(this.#state, { type: "leave", id });
      this.#end(id, waiter);
      waiter.reject(error);
    }
    this.#setTimer();
  }

  #wait(ticket: Ticket, waiting: Pick<Waiter, "request" | "sinceMs" | "firstReason">): Promise<Place> {
    return new Promise((resolve, reject) => {
      const { signal } = waiting.request;
      const abort = (): void => {
        const waiter = this.#waiters.get(ticket.id);
        if (waiter === undefined) return;
        admission(this.#state, { type: "leave", id: ticket.id });
        this.#end(ticket.id, waiter);
        reject(signal.reason);
        this.#setTimer();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.set(ticket.id, { ...waiting, resolve, reject, stopListening: () => signal.removeEventListener("abort", abort) });
      this.#setTimer();
    });
  }

  #place(ticket: Ticket): Place {
    let left = false;
    return {
      leave: () => {
        if (left) return;
        left = true;
        this.#carryOut(admission(this.#state, { type: "finish", ticket }));
      },
    };
  }

  #carryOut(decisions: readonly AdmissionDecision[]): void {
    if (decisions.length === 0) return;
    for (const decision of decisions) {
      const waiter = must(this.#waiters.get(decision.ticket.id), "who is decided on waits");
      this.#end(decision.ticket.id, waiter);
      if (decision.type === "start") waiter.resolve(this.#place(decision.ticket));
      else if (decision.type === "expired") waiter.reject(expired(waiter.request.waitMsMax ?? 0, decision.reason));
    }
    this.#setTimer();
  }

  #end(id: number, waiter: Waiter): void {
    this.#waiters.delete(id);
    waiter.stopListening();
    this.#metrics.waited(waiter.firstReason, this.#runtime.monotonicMs() - waiter.sinceMs);
  }

  #setTimer(): void {
    const atMs = nextExpiryMs(this.#state);
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (atMs === undefined) return;
    // A timer may fire up to a millisecond early; the extra one makes sure that the wait is over then.
    const timer = this.#runtime.timer(atMs - this.#runtime.monotonicMs() + 1, () => {
      this.#timer = undefined;
      this.#carryOut(admission(this.#state, { type: "expire", nowMs: this.#runtime.monotonicMs() }));
      this.#setTimer();
    });
    this.#timer = { atMs, cancel: () => timer.cancel() };
  }
}

/** What a call that waits is told when it has waited long enough. */
export function expired(maxMs: number, reason: AdmissionWait | "noRunner"): PlinthError {
  return plinthError("ExpiredInQueue", { maxMs: Math.round(maxMs), reason });
}

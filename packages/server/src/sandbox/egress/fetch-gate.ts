/**
 * How many fetches run at the same time, and how much they may hold.
 *
 * G1 One invocation has at most `fetchesPerInvocationMax` running, one tenant `fetchesPerTenantMax`; the
 *    others wait in order, a bounded number of them.
 * G2 What waits or runs counts with its bodies against the tenant's bytes and those of the host; who would
 *    go over the limit gets LimitExceeded.
 * G3 A tenant that is at its limits does not delay another.
 */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

/** The right to fetch; given back exactly once. */
export interface FetchPass {
  /** Accounts for bytes that are kept until the pass is given back; throws LimitExceeded. */
  reserve(bytes: number): void;
  leave(): void;
}

interface TenantState {
  running: number;
  bytes: number;
  readonly runningByInvocation: Map<string, number>;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly invocation: string;
  readonly admit: () => void;
}

export interface FetchAdmission {
  readonly tenant: string;
  readonly invocation: string;
  /** Bytes of the request's body. */
  readonly bytes: number;
  readonly signal: AbortSignal;
}

export class FetchGate {
  readonly #tenants = new Map<string, TenantState>();
  #bytes = 0;

  /** Resolves when it is this fetch's turn; rejects with LimitExceeded or the reason of the signal. */
  async enter(admission: FetchAdmission): Promise<FetchPass> {
    const state = this.#stateOf(admission.tenant);
    const waitingMax = limit("fetchesWaitingPerTenantMax");
    if (state.waiting.length >= waitingMax)
      throw plinthError("LimitExceeded", { what: "Waiting fetches", actual: state.waiting.length + 1, max: waitingMax });
    let held = 0;
    const reserve = (bytes: number): void => {
      this.#reserve(state, bytes);
      held += bytes;
    };
    const giveBack = (): void => {
      state.bytes -= held;
      this.#bytes -= held;
      this.#forgetIfIdle(admission.tenant, state);
    };
    try {
      reserve(admission.bytes);
      await this.#turn(state, admission);
    } catch (error) {
      giveBack();
      throw error;
    }
    const leave = (): void => {
      this.#release(state, admission.invocation);
      giveBack();
    };
    return { reserve, leave };
  }

  #reserve(state: TenantState, bytes: number): void {
    const tenantMax = limit("fetchBufferedBytesPerTenantMax");
    if (state.bytes + bytes > tenantMax)
      throw plinthError("LimitExceeded", { what: "Bytes of fetches at the same time", actual: state.bytes + bytes, max: tenantMax });
    const hostMax = limit("fetchBufferedBytesMax");
    if (this.#bytes + bytes > hostMax)
      throw plinthError("LimitExceeded", {
        what: "Bytes of all fetches of the host at the same time",
        actual: `more than ${hostMax}`,
        max: hostMax,
      });
    state.bytes += bytes;
    this.#bytes += bytes;
  }

  async #turn(state: TenantState, { invocation, signal }: FetchAdmission): Promise<void> {
    signal.throwIfAborted();
    if (hasRoom(state, invocation)) return take(state, invocation);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { invocation, admit: resolve };
    const onAbort = (): void => {
      const index = state.waiting.indexOf(waiter);
      if (index >= 0) state.waiting.splice(index, 1);
      if (index >= 0) reject(signal.reason);
    };
    state.waiting.push(waiter);
    signal.addEventListener("abort", onAbort, { once: true });
    await promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  #release(state: TenantState, invocation: string): void {
    state.running -= 1;
    const left = must(state.runningByInvocation.get(invocation), "what leaves was running") - 1;
    if (left === 0) state.runningByInvocation.delete(invocation);
    else state.runningByInvocation.set(invocation, left);
    const index = state.waiting.findIndex((waiter) => hasRoom(state, waiter.invocation));
    const [next] = index < 0 ? [] : state.waiting.splice(index, 1);
    if (next === undefined) return;
    // The place is taken in the name of the waiter at once, so that nobody comes in between.
    take(state, next.invocation);
    next.admit();
  }

  #stateOf(tenant: string): TenantState {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) return known;
    const state: TenantState = { running: 0, bytes: 0, runningByInvocation: new Map(), waiting: [] };
    this.#tenants.set(tenant, state);
    return state;
  }

  #forgetIfIdle(tenant: string, state: TenantState): void {
    if (state.running === 0 && state.waiting.length === 0 && state.bytes === 0) this.#tenants.delete(tenant);
  }
}

function hasRoom(state: TenantState, invocation: string): boolean {
  return (
    state.running < limit("fetchesPerTenantMax") && (state.runningByInvocation.get(invocation) ?? 0) < limit("fetchesPerInvocationMax")
  );
}

function take(state: TenantState, invocation: string): void {
  state.running += 1;
  state.runningByInvocation.set(invocation, (state.runningByInvocation.get(invocation) ?? 0) + 1);
}

/** Calls with an idempotency key: the first outcome of a key is every outcome of it. See `idempotency.ts`. */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "./call-run.ts";
import { storeOutcome } from "./engine-records.ts";
import { cachedUsage, outcomeOf } from "./finalize.ts";
import type { Idempotency } from "./idempotency.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";
import { traceOf } from "./trace-of-call.ts";
import type { RunCall, RunCallOptions } from "./run-call.ts";

export interface KeyedCallsOptions {
  readonly parts: EngineParts;
  readonly idempotency: Idempotency;
  readonly runCall: RunCall;
}

export class KeyedCalls {
  readonly #options: KeyedCallsOptions;
  /** Actions that run now, by their id: a repeated call waits for the first. */
  readonly #actions = new Map<string, Promise<InvocationOutcome>>();

  constructor(options: KeyedCallsOptions) {
    this.#options = options;
  }

  async run(accepted: AcceptedCall, key: string, options: RunCallOptions): Promise<InvocationOutcome> {
    return accepted.kind === "mutation" ? await this.#runMutation(accepted, key, options) : await this.#runAction(accepted, key, options);
  }

  /** I1 */
  async #runMutation(accepted: AcceptedCall, key: string, options: RunCallOptions): Promise<InvocationOutcome> {
    const { idempotency, runCall } = this.#options;
    let run: CallRun | undefined;
    const outcome = await runCall(accepted, {
      ...options,
      onRun: (started) => {
        run = started;
        options.onRun?.(started);
      },
      hooks: {
        begin: async (transaction) => {
          const first = idempotency.firstOutcome(await idempotency.find(transaction.records, accepted, key), key);
          return first === undefined ? await options.hooks?.begin?.(transaction) : { kind: "replayed", outcome: first };
        },
        commit: async (transaction, valueText) => {
          await options.hooks?.commit?.(transaction, valueText);
          if (run === undefined) return;
          const finished = storeOutcome(outcomeOf(run, { kind: "succeeded", valueText, ts: transaction.ts }));
          idempotency.put(transaction.records, accepted, { key, result: { kind: "finished", outcome: finished } });
        },
      },
    });
    if (outcome.id === accepted.id && isFunctionsFailure(outcome)) await idempotency.finish(accepted, key, outcome);
    return outcome;
  }

  /** I2 */
  async #runAction(accepted: AcceptedCall, key: string, options: RunCallOptions): Promise<InvocationOutcome> {
    const { idempotency } = this.#options;
    const start = await idempotency.startAction(accepted, key);
    if (start.kind === "known") {
      const first = idempotency.firstOutcome(start.row, key);
      if (first !== undefined) return first;
      const id = start.row.result.kind === "started" ? start.row.result.id : "";
      const running = this.#actions.get(id);
      return running === undefined ? lostOutcome(accepted, id) : await running;
    }
    const running = this.#runStarted(accepted, key, options);
    this.#actions.set(accepted.id, running);
    try {
      return await running;
    } finally {
      this.#actions.delete(accepted.id);
    }
  }

  async #runStarted(accepted: AcceptedCall, key: string, options: RunCallOptions): Promise<InvocationOutcome> {
    const { idempotency, runCall } = this.#options;
    let run: CallRun | undefined;
    try {
      const outcome = await runCall(accepted, { ...options, onRun: (started) => (run = started) });
      await idempotency.finish(accepted, key, outcome);
      return outcome;
    } catch (error) {
      if (error instanceof PlinthError && (run?.attempts ?? 0) === 0) await idempotency.forget(accepted.scope, accepted, key);
      throw error;
    }
  }
}

function isFunctionsFailure(outcome: InvocationOutcome): boolean {
  return outcome.status === "failed" && outcome.error.spec.fault === "function";
}

/** The first call began on a host that is gone; whether it had effects is not known. */
function lostOutcome(accepted: AcceptedCall, id: string): InvocationOutcome {
  return {
    id: id === "" ? accepted.id : id,
    traceId: traceOf(accepted).traceId,
    functionPath: accepted.path,
    version: accepted.version.digest,
    logs: [],
    logsDropped: 0,
    usage: cachedUsage(0),
    status: "failed",
    error: plinthError("RunnerLost", { detail: "the host stopped while the first call with this key ran" }),
  };
}

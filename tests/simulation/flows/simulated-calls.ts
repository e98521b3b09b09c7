/** What steps call: queries, mutations in real transactions, and the outside, which answers late, wrongly or not at all. */
import { PlinthError } from "../../../packages/core/src/errors.ts";
import type { StepError } from "../../../packages/core/src/flow/events.ts";
import type { Database, RecordTable, Scope } from "../../../packages/server/src/database/database.ts";
import { offerCallback } from "../../../packages/server/src/flows/callbacks.ts";
import type { CallClass, CallOfRun, StepResult } from "../../../packages/server/src/flows/calls/call.ts";
import type { CallsOfSteps } from "../../../packages/server/src/flows/step-calls.ts";
import { textOf } from "./call-keys.ts";
import type { Life, SimulatedTime } from "./simulated-time.ts";

/** How often the mutation of a step was applied. */
export const APPLIED = counterTable(900, "applied");
/** What all mutations write, so that they conflict. */
export const TOTAL = counterTable(901, "total");

function counterTable(space: number, name: string): RecordTable<number> {
  return { space, name, parse: Number };
}

/** One call as the outside saw it. */
export interface SeenCall {
  readonly scope: Scope;
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly callClass: CallClass;
  /** What was asked for. */
  readonly text: string;
}

export interface SimulatedCallsOptions {
  readonly time: SimulatedTime;
  readonly life: Life;
  readonly database: Database;
  /** Faults have ended. */
  readonly isCalm: () => boolean;
  readonly onSeen: (seen: SeenCall) => Promise<void>;
  /** Whoever is called may call back with it. */
  readonly onPromised: (token: string) => void;
  readonly onUnderWay: (key: string, change: 1 | -1) => void;
}

type Plan = "succeed" | "later" | "fail" | "throw" | "timeout" | "ignoreAbort";

export class SimulatedCalls implements CallsOfSteps {
  readonly #options: SimulatedCallsOptions;

  constructor(options: SimulatedCallsOptions) {
    this.#options = options;
  }

  async classOf(_: unknown, __: unknown, call: Parameters<CallsOfSteps["classOf"]>[2]): Promise<CallClass> {
    const { time, life } = this.#options;
    if (time.chance(0.3)) await time.delay(life, "class of a call");
    return classOf(call);
  }

  async perform(of: CallOfRun): Promise<StepResult> {
    const { key, attempt, call } = of.command;
    const { scope, row } = of;
    const callClass = classOf(call);
    this.#options.onUnderWay(key, 1);
    let result: StepResult;
    try {
      await this.#options.onSeen({ scope, run: row.id, key, attempt, callClass, text: textOf(of.command) });
      this.#options.time.note(`call ${key} ${attempt}`);
      result = callClass === "store" ? await this.#mutation(of) : await this.#other(of);
    } finally {
      this.#options.onUnderWay(key, -1);
    }
    this.#options.time.note(`answer ${key} ${attempt} ${result.ok === false ? result.error.code : String(result.ok)}`);
    return result;
  }

  #plan(): Plan {
    if (this.#options.isCalm()) return "succeed";
    const chance = this.#options.time.random.next();
    if (chance < 0.12) return "fail";
    if (chance < 0.2) return "throw";
    if (chance < 0.24) return "timeout";
    if (chance < 0.34) return "later";
    return chance < 0.48 ? "ignoreAbort" : "succeed";
  }

  async #other(of: CallOfRun): Promise<StepResult> {
    const { time, life } = this.#options;
    const { command, signal } = of;
    const plan = this.#plan();
    if (plan === "later" && classOf(command.call) === "outside") return await this.#later(of);
    if (plan === "timeout") {
      await this.#wait(command.timeoutMs, signal);
      return { ok: false, error: failed("timeout", true) };
    }
    if (time.chance(0.3)) await this.#wait(time.random.integer(0, 5000), plan === "ignoreAbort" ? undefined : signal);
    else await time.delay(life, `work of ${command.key}`);
    if (signal.aborted && plan !== "ignoreAbort") return aborted(signal);
    return this.#result(plan, command.key);
  }

  async #later(of: CallOfRun): Promise<StepResult> {
    const { time, life, database, onPromised } = this.#options;
    try {
      const parts = { database, runtime: time.runtime(life), urls: Promise.resolve({ api: "" }) };
      const { token, deadlineMs } = await offerCallback(parts, of, time.random.pick([1000, 60_000, 90_000_000]));
      onPromised(token);
      await time.delay(life, `first answer of ${of.command.key}`);
      return { ok: "later", deadlineMs };
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      return { ok: false, error: failed(error.code, error.spec.retry !== "never") };
    }
  }

  #result(plan: Plan, key: string): StepResult {
    if (plan === "fail") return { ok: false, error: failed("unavailable", true) };
    if (plan === "throw") return { ok: false, error: failed("user_error", false) };
    return { ok: true, output: { key, at: this.#options.time.steps } };
  }

  /** As the engine does it. */
  async #mutation(of: CallOfRun): Promise<StepResult> {
    const { time, life, database } = this.#options;
    const { command, signal, commit, scope } = of;
    const plan = this.#plan();
    if (commit === undefined) throw new Error("a mutation takes part in a commit");
    for (;;) {
      await time.delay(life, `begin ${command.key}`);
      if (signal.aborted) return aborted(signal);
      try {
        const transaction = await database.begin(scope, { readonly: false, nowMs: time.nowMs });
        try {
          for (const [table, key] of [
            [TOTAL, "all"],
            [APPLIED, command.key],
          ] as const)
            transaction.records.put(table, [key], ((await transaction.records.get(table, [key])) ?? 0) + 1);
          if (time.chance(0.5)) await time.delay(life, `work of ${command.key}`);
          const result = this.#result(plan === "timeout" ? "fail" : plan, command.key);
          if (result.ok !== true) return result;
          if (signal.aborted) return aborted(signal);
          await commit(transaction, result);
          const committed = await transaction.commit();
          if (committed.kind === "conflict") continue;
          if (time.chance(0.3)) await time.delay(life, `end of ${command.key}`);
          return result;
        } finally {
          transaction.release();
        }
      } catch (error) {
        if (!(error instanceof PlinthError)) throw error;
        return { ok: false, error: failed(error.code, error.spec.retry !== "never") };
      }
    }
  }

  async #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { time, life } = this.#options;
    try {
      await time.runtime(life).sleep(ms, signal);
    } catch {
      // It was ended; what then follows says so.
    }
  }
}

function classOf(call: Parameters<CallsOfSteps["classOf"]>[2]): CallClass {
  if (call.kind === "inline") return "compute";
  if (call.kind !== "function") return "outside";
  return call.path === "sim:mutation" ? "store" : call.path === "sim:query" ? "compute" : "outside";
}

function failed(code: string, retryable: boolean): StepError {
  return { code, message: "it was simulated.", retryable };
}

/** What `StepCalls` makes of a call that was ended. */
function aborted(signal: AbortSignal): StepResult {
  const { reason } = signal as { readonly reason: unknown };
  if (reason instanceof PlinthError && reason.code === "ShuttingDown") throw reason;
  return { ok: false, error: failed("Cancelled", false) };
}

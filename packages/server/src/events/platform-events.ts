/**
 * Events about the tenant itself, for whom its automations listen as for changes: `budget_stage_changed` when its budget comes to
 * another stage, on `main`; `limit_refused` when calls were refused by a limit, on their branch, at most every ten seconds for each function
 * and limit, with how many there were.
 */
import { limit } from "@plinth/core/limits.ts";
import { MAIN_BRANCH } from "../branches/branches.ts";
import type { StageChange } from "../budgets/open-budgets.ts";
import type { Database, Scope } from "../database/database.ts";
import type { InvocationResult, ResultSink } from "../engine/result-sink.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { publishEvent } from "./publish.ts";

export interface PlatformEventsOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
}

interface Refusals {
  readonly scope: Scope;
  readonly function: string;
  readonly code: string;
  readonly message: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
}

const REFUSALS: ReadonlySet<string> = new Set(["RateLimited", "BudgetExceeded", "TooManyConcurrentRequests", "TooManyEventsWaiting"]);

export class PlatformEvents {
  readonly sink: ResultSink;
  readonly #options: PlatformEventsOptions;
  /** By tenant, so that none takes the places of others. */
  readonly #refusals = new Map<string, Map<string, Refusals>>();
  readonly #work = new Set<Promise<void>>();
  #timer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: PlatformEventsOptions) {
    this.#options = options;
    this.sink = { name: "limit events", finished: (result) => this.#finished(result), flush: () => this.#flush() };
  }

  /** Of `openBudgets`. */
  readonly onStage = ({ tenant, from, to, spentNanos, budget }: StageChange): void => {
    const { period, amountNanos } = budget;
    const change = { from, to, spent: spentNanos / 1e9, amount: amountNanos / 1e9, period };
    this.#publish({ tenant, branch: MAIN_BRANCH }, "budget_stage_changed", change);
  };

  /** Nothing is published after it. What was counted and not told is in the records of the calls. */
  async stop(): Promise<void> {
    await this.#flush();
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #finished({ scope, source, outcome, finishedMs }: InvocationResult): void {
    if (outcome.status !== "failed" || !REFUSALS.has(outcome.error.code)) return;
    // Deliveries wait and come again. An event about each that waits would wait too, and be one more that is told of.
    if (source === "automation") return;
    const { code, message } = outcome.error;
    const key = [scope.branch, outcome.functionPath, code].join("\n");
    const ofTenant = this.#refusals.get(scope.tenant) ?? new Map<string, Refusals>();
    const known = ofTenant.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastMs = finishedMs;
      return;
    }
    if (this.#stopped || ofTenant.size >= limit("refusalsCountedPerTenantMax")) return;
    const times = { firstMs: finishedMs, lastMs: finishedMs, count: 1 };
    this.#refusals.set(scope.tenant, ofTenant.set(key, { scope, function: outcome.functionPath, code, message, ...times }));
    this.#timer ??= this.#options.runtime.timer(limit("refusalEventPauseMs"), () => {
      this.#timer = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    for (const ofTenant of this.#refusals.values()) {
      for (const { scope, function: path, code, message, firstMs, lastMs, count } of ofTenant.values()) {
        const times = { first: new Date(firstMs).toISOString(), last: new Date(lastMs).toISOString() };
        this.#publish(scope, "limit_refused", { function: path, code, message, count, ...times });
      }
    }
    this.#refusals.clear();
  }

  async #flush(): Promise<void> {
    if (!this.#stopped) this.#tell();
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #publish(scope: Scope, type: string, change: unknown): void {
    const { database, runtime, log } = this.#options;
    const id = `evt_${Buffer.from(runtime.randomBytes(12)).toString("hex")}`;
    const nowMs = runtime.nowMs();
    const payload = { id, timestamp: new Date(nowMs).toISOString(), type, unique_key: id, [type]: change };
    const published = database
      .update(scope, (transaction) => publishEvent(transaction, { type, sourceId: null, payload, syncId: type }, nowMs))
      .then(() => undefined)
      .catch((error: unknown) => log.warn({ error, ...scope, type }, "an event about a tenant's limits could not be published"))
      .finally(() => this.#work.delete(published));
    this.#work.add(published);
  }
}

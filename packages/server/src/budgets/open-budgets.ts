/** Limits and budgets over the store. */
import { periodEndMs, stageOf, throttleDelayMs, type Budget, type BudgetStage } from "@plinth/core/policy/budget.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { erasePlatformRows } from "../database/erase-platform-rows.ts";
import { PLATFORM_SCOPE, TENANT_LIMITS } from "../database/record-tables.ts";
import type { InvocationResult, ResultSink } from "../engine/result-sink.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { Admitted, AdmittedCall, Budgets, CallLimits, FunctionLimits, TenantLimits } from "./budgets.ts";
import { FunctionGates } from "./function-gates.ts";
import { SpendingBook } from "./spending-book.ts";

export interface BudgetsOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  /** B2: hears of each change of stage. */
  readonly onStage?: (change: StageChange) => void;
}

export interface StageChange {
  readonly tenant: string;
  readonly from: BudgetStage;
  readonly to: BudgetStage;
  readonly spentNanos: number;
  readonly budget: Budget;
}

const NO_CALL_LIMITS: CallLimits = { cpuMs: null, wallMs: null, memoryBytes: null, resultBytes: null };
export const NO_LIMITS: TenantLimits = { rate: null, concurrency: null, calls: NO_CALL_LIMITS, budget: null, functions: [] };
const PAGE = 512;

export function openBudgets(options: BudgetsOptions): Budgets {
  return new StoredBudgets(options);
}

class StoredBudgets implements Budgets {
  readonly #options: BudgetsOptions;
  readonly #limits = new Map<string, TenantLimits>();
  readonly #stages = new Map<string, BudgetStage>();
  readonly #gates: FunctionGates;
  readonly #book: SpendingBook;
  readonly sink: ResultSink;

  constructor(options: BudgetsOptions) {
    this.#options = options;
    this.#gates = new FunctionGates(options.runtime);
    this.#book = new SpendingBook(options);
    this.sink = {
      name: "spending",
      finished: (result) => this.#spent(result),
      flush: () => this.#book.flush(),
    };
  }

  async start(): Promise<void> {
    await this.#book.load();
    for (let after: readonly (string | number | bigint | boolean | null)[] | undefined; ;) {
      const page = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(TENANT_LIMITS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key, value } of page) this.#limits.set(String(key[0]), value);
      after = page.at(-1)?.key;
      if (page.length < PAGE) break;
    }
    // Stages that a tenant was in before the restart are not told of again.
    for (const [tenant, { budget }] of this.#limits) if (budget !== null) this.#stages.set(tenant, this.#stageOf(tenant, budget));
  }

  async stop(): Promise<void> {
    await this.#book.stop();
  }

  async admit(scope: Scope, call: AdmittedCall): Promise<Admitted> {
    const limits = this.#limits.get(scope.tenant);
    if (limits === undefined) return { priority: call.priority, limits: undefined, end: () => undefined };
    const { tenant } = scope;
    const stage = this.#checkBudget(tenant, limits);
    const own = limits.functions.find((each) => fits(each, call.path));
    const key = keyOf(scope, call);
    await this.#passRates(scope, call, { limits, own });
    const end =
      own?.concurrency === null || own?.concurrency === undefined
        ? () => undefined
        : await this.#gates.enter(key, { what: call.path, max: own.concurrency }, call);
    try {
      await this.#throttle(tenant, { limits, signal: call.signal });
    } catch (error) {
      end();
      throw error;
    }
    return { priority: stage === "degrade" ? "background" : call.priority, limits: tighter(limits.calls, own), end };
  }

  async admitKept(scope: Scope, call: AdmittedCall): Promise<void> {
    const limits = this.#limits.get(scope.tenant);
    if (limits === undefined) return;
    this.#checkBudget(scope.tenant, limits);
    await this.#passRates(scope, call, { limits, own: limits.functions.find((each) => fits(each, call.path)) });
  }

  async #passRates(
    scope: Scope,
    call: AdmittedCall,
    { limits, own }: { readonly limits: TenantLimits; readonly own: FunctionLimits | undefined },
  ): Promise<void> {
    if (limits.rate !== null) await this.#gates.pass(scope.tenant, { what: "the tenant", rate: limits.rate }, call);
    const rate = own?.rate ?? null;
    if (rate !== null) await this.#gates.pass(keyOf(scope, call), { what: call.path, rate }, call);
  }

  checkStored({ tenant }: Scope): void {
    const limits = this.#limits.get(tenant);
    if (limits !== undefined) this.#checkBudget(tenant, limits);
  }

  limits(tenant: string): TenantLimits {
    return this.#limits.get(tenant) ?? NO_LIMITS;
  }

  async setLimits(tenant: string, limits: TenantLimits): Promise<void> {
    await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
      records.put(TENANT_LIMITS, [tenant], limits);
      await Promise.resolve();
    });
    this.#limits.set(tenant, limits);
    this.#noteStage(tenant);
  }

  async forgetTenant(tenant: string): Promise<void> {
    await this.#book.forget(tenant);
    await erasePlatformRows(this.#options.database, [TENANT_LIMITS], [tenant]);
    this.#limits.delete(tenant);
    this.#stages.delete(tenant);
  }

  spending(tenant: string) {
    const budget = this.limits(tenant).budget;
    return {
      stage: budget === null ? ("ok" as const) : this.#stageOf(tenant, budget),
      spentNanos: this.#book.spentNanos(tenant, budget?.period ?? "month"),
      days: this.#book.days(tenant),
    };
  }

  /** B1 */
  #spent({ scope, outcome }: InvocationResult): void {
    this.#book.add(scope.tenant, outcome.usage);
    if (this.#limits.get(scope.tenant)?.budget !== undefined) this.#noteStage(scope.tenant);
  }

  #checkBudget(tenant: string, { budget }: TenantLimits): BudgetStage {
    if (budget === null) return "ok";
    const stage = this.#noteStage(tenant);
    if (stage !== "refuse") return stage;
    const endMs = periodEndMs(budget.period, this.#options.runtime.nowMs());
    throw plinthError("BudgetExceeded", { period: budget.period, until: new Date(endMs).toISOString() });
  }

  async #throttle(tenant: string, { limits, signal }: { readonly limits: TenantLimits; readonly signal: AbortSignal }): Promise<void> {
    if (limits.budget === null) return;
    const spent = this.#book.spentNanos(tenant, limits.budget.period);
    const delayMs = throttleDelayMs(spent, limits.budget, { delayMsMax: limit("throttleDelayMsMax") });
    if (delayMs > 0) await this.#options.runtime.sleep(delayMs, signal);
  }

  #stageOf(tenant: string, budget: Budget): BudgetStage {
    return stageOf(this.#book.spentNanos(tenant, budget.period), budget);
  }

  /** B2 */
  #noteStage(tenant: string): BudgetStage {
    const budget = this.#limits.get(tenant)?.budget ?? null;
    const to = budget === null ? "ok" : this.#stageOf(tenant, budget);
    const from = this.#stages.get(tenant) ?? "ok";
    if (from === to || budget === null) return to;
    this.#stages.set(tenant, to);
    const spentNanos = this.#book.spentNanos(tenant, budget.period);
    this.#options.log.warn({ tenant, from, to, spentNanos, amountNanos: budget.amountNanos }, "the budget of a tenant is at another stage");
    this.#options.onStage?.({ tenant, from, to, spentNanos, budget });
    return to;
  }
}

function keyOf({ tenant, branch }: Scope, { path }: AdmittedCall): string {
  return `${tenant}\n${branch}\n${path}`;
}

function tighter(one: CallLimits, other: CallLimits | undefined): CallLimits {
  if (other === undefined) return one;
  const least = (name: keyof CallLimits) =>
    one[name] === null || other[name] === null ? (one[name] ?? other[name]) : Math.min(one[name], other[name]);
  return { cpuMs: least("cpuMs"), wallMs: least("wallMs"), memoryBytes: least("memoryBytes"), resultBytes: least("resultBytes") };
}

function fits({ function: name }: FunctionLimits, path: string): boolean {
  return name.endsWith("*") ? path.startsWith(name.slice(0, -1)) : name === path;
}

/** What each tenant used, by day: counted in memory, written once a second (B3, B4). */
import { dayOf, isInPeriod } from "@plinth/core/policy/budget.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, KeyPart } from "../database/database.ts";
import { PLATFORM_SCOPE, SPENDING } from "../database/record-tables.ts";
import type { InvocationUsage } from "../engine/invocation.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { Spending } from "./budgets.ts";

const GIB = 1024 ** 3;
const PAGE = 512;

export class SpendingBook {
  readonly #options: { readonly database: Database; readonly runtime: Runtime; readonly log: Log };
  /** Tenant → day → what it used. Days of the current month. */
  readonly #tenants = new Map<string, Map<string, Spending>>();
  readonly #dirty = new Set<string>();
  /** Deleted tenants, whose names are not given again. */
  readonly #forgotten = new Set<string>();
  #timer: { cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { readonly database: Database; readonly runtime: Runtime; readonly log: Log }) {
    this.#options = options;
  }

  /** Reads the current month; rows of months before the last one are deleted. */
  async load(): Promise<void> {
    const nowMs = this.#options.runtime.nowMs();
    const lastMonth = dayOf(Date.UTC(new Date(nowMs).getUTCFullYear(), new Date(nowMs).getUTCMonth() - 1, 1));
    for (let after: readonly (string | number | bigint | boolean | null)[] | undefined; ;) {
      const page = await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
        const rows = await records.range(SPENDING, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) });
        for (const { key, value } of rows) if (value.day < lastMonth) records.delete(SPENDING, key);
        return rows;
      });
      for (const { key, value } of page) if (isInPeriod(value.day, "month", nowMs)) this.#daysOf(String(key[1])).set(value.day, value);
      after = page.at(-1)?.key;
      if (page.length < PAGE) return;
    }
  }

  add(tenant: string, usage: InvocationUsage): void {
    if (this.#forgotten.has(tenant)) return;
    const { runtime } = this.#options;
    const day = dayOf(runtime.nowMs());
    const days = this.#daysOf(tenant);
    const before = days.get(day) ?? emptyDay(day);
    days.set(day, {
      day,
      costNanos: before.costNanos + usage.costNanos,
      calls: before.calls + 1,
      executionMs: before.executionMs + usage.executionMs,
      cpuMs: before.cpuMs + usage.userMs,
      gibSeconds: before.gibSeconds + (usage.memoryBytes / GIB) * (usage.executionMs / 1000),
      egressBytes: before.egressBytes + usage.egressBytes,
    });
    if (days.size > DAYS_KEPT) for (const each of days.keys()) if (!isInPeriod(each, "month", runtime.nowMs())) days.delete(each);
    this.#dirty.add(tenant);
    this.#timer ??= runtime.timer(limit("spendingWriteMs"), () => {
      this.#timer = undefined;
      void this.flush();
    });
  }

  days(tenant: string): readonly Spending[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])];
  }

  spentNanos(tenant: string, period: "day" | "month"): number {
    const nowMs = this.#options.runtime.nowMs();
    let sum = 0;
    for (const { day, costNanos } of this.#tenants.get(tenant)?.values() ?? []) if (isInPeriod(day, period, nowMs)) sum += costNanos;
    return sum;
  }

  /** Deletes what is known of a tenant, for good. Its last sums go to the log, for who writes bills. */
  async forget(tenant: string): Promise<void> {
    const { database, log } = this.#options;
    if (this.#tenants.has(tenant))
      log.info({ tenant, costNanos: this.spentNanos(tenant, "month") }, "what a deleted tenant spent this month");
    this.#forgotten.add(tenant);
    this.#tenants.delete(tenant);
    this.#dirty.delete(tenant);
    // What is being written is written before.
    const erased = this.#writing.then(async () => {
      for (let after: readonly KeyPart[] | undefined; ;) {
        const [row] = await database.read(PLATFORM_SCOPE, ({ records }) =>
          records.range(SPENDING, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
        );
        if (row === undefined) return;
        const { day } = row.value;
        await database.update(PLATFORM_SCOPE, async ({ records }) => {
          if ((await records.get(SPENDING, [day, tenant])) !== undefined) records.delete(SPENDING, [day, tenant]);
        });
        after = [day, LAST_NAME];
      }
    });
    this.#writing = erased.catch(() => undefined);
    await erased;
  }

  /** Writes what was not written; a failure is tried again with the next. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
  }

  async #write(): Promise<void> {
    const tenants = [...this.#dirty];
    if (tenants.length === 0) return;
    this.#dirty.clear();
    const today = dayOf(this.#options.runtime.nowMs());
    try {
      await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
        for (const tenant of tenants) {
          const rows = [...(this.#tenants.get(tenant)?.values() ?? [])].slice(-2);
          for (const row of rows) records.put(SPENDING, [row.day, tenant], row);
        }
        await Promise.resolve();
      });
    } catch (error) {
      for (const tenant of tenants) this.#dirty.add(tenant);
      this.#options.log.error({ error, day: today }, "what tenants spent could not be written; it is tried again");
    }
  }

  #daysOf(tenant: string): Map<string, Spending> {
    let days = this.#tenants.get(tenant);
    if (days === undefined) this.#tenants.set(tenant, (days = new Map()));
    return days;
  }
}

/** Of one month, and a day of the next. */
const DAYS_KEPT = 32;
/** Behind all names of tenants. */
const LAST_NAME = "\u{10ffff}";

function emptyDay(day: string): Spending {
  return { day, costNanos: 0, calls: 0, executionMs: 0, cpuMs: 0, gibSeconds: 0, egressBytes: 0 };
}

/**
 * Deletes records when they are old enough. Each transaction that keeps something notes the day and the branch;
 * an exact timer at the end of the oldest noted day's retention deletes what lies there, in small slices.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { IDEMPOTENCY, IDEMPOTENCY_BY_TIME, INVOCATIONS, PLATFORM_SCOPE, RETENTION_DAYS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { timePrefix } from "./invocation-ids.ts";

export type Kept = "invocations" | "idempotency";

const DAY_MS = 86_400_000;
const SLICE = 200;

export interface RetentionOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly retentionMs: Readonly<Record<Kept, number>>;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Days of this process that are noted for sure, so that they are not written again. */
  readonly #noted = new Set<string>();
  #timer: { cancel(): void } | undefined;
  #collecting: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#collect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#collecting;
  }

  /** Notes, in the transaction that keeps something, that `scope` has something of this day. */
  note(records: Records, kept: Kept, scope: Scope, atMs: number): void {
    const day = Math.floor(atMs / DAY_MS);
    const key = `${kept}/${day}/${scope.tenant}/${scope.branch}`;
    if (this.#noted.has(key)) return;
    records.put(RETENTION_DAYS, [kept, day, scope.tenant, scope.branch], true);
  }

  /** The transaction of `note` has committed. */
  committed(kept: Kept, scope: Scope, atMs: number): void {
    const day = Math.floor(atMs / DAY_MS);
    if (this.#noted.size > limit("cachedHeadsMax")) this.#noted.clear();
    this.#noted.add(`${kept}/${day}/${scope.tenant}/${scope.branch}`);
    if (this.#timer === undefined && !this.#stopped) this.#wakeAt(this.#endOf(kept, day));
  }

  /** Deletes what is due and sets the timer for what comes next. */
  #collect(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#collecting = this.#collecting
      .then(() => this.#collectDue())
      .catch((error: unknown) => {
        if (this.#stopped) return;
        this.#options.log.warn({ error }, "old records could not be deleted; it is tried again in an hour");
        this.#wakeAt(this.#options.runtime.nowMs() + DAY_MS / 24);
      });
  }

  async #collectDue(): Promise<void> {
    const { database, runtime } = this.#options;
    let nextMs: number | undefined;
    for (const kept of ["invocations", "idempotency"] as const) {
      for (;;) {
        if (this.#stopped) return;
        const first = await database.read(
          PLATFORM_SCOPE,
          async ({ records }) => (await records.range(RETENTION_DAYS, { prefix: [kept], limit: 1 }))[0],
        );
        if (first === undefined) break;
        const [, day, tenant, branch] = first.key;
        const endMs = this.#endOf(kept, Number(day));
        if (endMs > runtime.nowMs()) {
          nextMs = Math.min(nextMs ?? Infinity, endMs);
          break;
        }
        const scope: Scope = { tenant: String(tenant), branch: String(branch) };
        await this.#deleteDay(kept, scope, (Number(day) + 1) * DAY_MS);
        await database.update(PLATFORM_SCOPE, async ({ records }) => records.delete(RETENTION_DAYS, first.key));
      }
    }
    if (nextMs !== undefined) this.#wakeAt(nextMs);
  }

  async #deleteDay(kept: Kept, scope: Scope, beforeMs: number): Promise<void> {
    while (!this.#stopped) {
      const deleted = await this.#options.database.update(scope, ({ records }) =>
        kept === "invocations" ? deleteInvocations(records, beforeMs) : deleteKeys(records, beforeMs),
      );
      if (deleted < SLICE) return;
      await this.#options.runtime.sleep(1);
    }
  }

  /** A day's records are deleted when its last one is old enough. */
  #endOf(kept: Kept, day: number): number {
    return (day + 1) * DAY_MS + this.#options.retentionMs[kept];
  }

  #wakeAt(atMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.runtime.timer(Math.max(0, atMs - this.#options.runtime.nowMs()), () => this.#collect());
  }
}

async function deleteInvocations(records: Records, beforeMs: number): Promise<number> {
  const end = timePrefix(beforeMs);
  const rows = (await records.range(INVOCATIONS, { prefix: [], limit: SLICE })).filter(({ key }) => String(key[0]) < end);
  for (const { key } of rows) records.delete(INVOCATIONS, key);
  return rows.length;
}

async function deleteKeys(records: Records, beforeMs: number): Promise<number> {
  const rows = (await records.range(IDEMPOTENCY_BY_TIME, { prefix: [], limit: SLICE })).filter(({ key }) => Number(key[0]) < beforeMs);
  for (const { key } of rows) {
    records.delete(IDEMPOTENCY_BY_TIME, key);
    records.delete(IDEMPOTENCY, key.slice(1));
  }
  return rows.length;
}

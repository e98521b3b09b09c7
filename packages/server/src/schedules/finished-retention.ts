/** Deletes ended scheduled functions when their retention is over, at an exact time and in small slices. */
import { limit } from "@plinth/core/limits.ts";
import { PLATFORM_SCOPE, SCHEDULED_FINISHED } from "../database/record-tables.ts";
import type { SchedulerParts } from "./create-scheduler.ts";

const SLICE = 100;
/** Ends that lie close together are deleted together. */
const TOGETHER_MS = 60_000;

export class FinishedRetention {
  readonly #parts: Pick<SchedulerParts, "database" | "runtime" | "telemetry">;
  #timer: { cancel(): void } | undefined;
  #collecting: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: Pick<SchedulerParts, "database" | "runtime" | "telemetry">) {
    this.#parts = parts;
  }

  start(): void {
    this.#collecting = this.#collect().catch((error: unknown) => {
      if (this.#stopped) return;
      this.#parts.telemetry.log.warn({ error }, "ended scheduled functions could not be deleted; it is tried again in an hour");
      this.#wakeIn(3_600_000);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#collecting;
  }

  async #collect(): Promise<void> {
    const { database, runtime } = this.#parts;
    while (!this.#stopped) {
      const rows = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(SCHEDULED_FINISHED, { prefix: [], limit: SLICE }));
      const endMs = (key: readonly unknown[]): number => Number(key[0]) + limit("scheduledRetentionMs");
      const due = rows.filter(({ key }) => endMs(key) <= runtime.nowMs());
      for (const { key } of due) {
        const [, tenant, branch, id] = key;
        await database.update({ tenant: String(tenant), branch: String(branch) }, async (transaction) => {
          transaction.records.delete(SCHEDULED_FINISHED, key);
          await transaction.system.delete(String(id));
        });
      }
      if (due.length === SLICE) continue;
      // Nothing can end its retention before this, as nothing that ends later is older.
      const first = rows[due.length];
      this.#wakeIn((first === undefined ? limit("scheduledRetentionMs") : endMs(first.key) - runtime.nowMs()) + TOGETHER_MS);
      return;
    }
  }

  #wakeIn(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.runtime.timer(delayMs, () => this.start());
  }
}

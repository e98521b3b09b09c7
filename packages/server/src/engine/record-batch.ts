/**
 * Records of synchronous calls, written together after the fact. They are history, not truth: a crash may lose
 * those of the last moments (`invocationRecordsFlushMs`), never a commit. Successful ones are sampled per
 * function and second; failures have ten times that room. What is not kept is counted in metrics.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { INVOCATIONS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { InvocationRecord } from "./invocation.ts";
import type { Retention } from "./retention.ts";

const FAILURE_ROOM = 10;

export class RecordBatch {
  readonly #options: {
    readonly database: Database;
    readonly runtime: Runtime;
    readonly telemetry: Telemetry;
    readonly retention: Retention;
  };
  readonly #waiting = new Map<string, InvocationRecord>();
  #bytes = 0;
  #timer: { cancel(): void } | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #second = 0;
  readonly #keptInSecond = new Map<string, number>();

  constructor(options: {
    readonly database: Database;
    readonly runtime: Runtime;
    readonly telemetry: Telemetry;
    readonly retention: Retention;
  }) {
    this.#options = options;
  }

  /** Whether there is room for one more record of this function in this second; takes it. */
  takesOne(functionKey: string, succeeded: boolean): boolean {
    const second = Math.floor(this.#options.runtime.monotonicMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#keptInSecond.clear();
    }
    const key = `${succeeded ? "ok" : "failed"} ${functionKey}`;
    const kept = this.#keptInSecond.get(key) ?? 0;
    if (kept >= limit("invocationRecordsPerSecondMax") * (succeeded ? 1 : FAILURE_ROOM)) {
      this.#options.telemetry.metrics.recordsDropped("sampled", 1);
      return false;
    }
    this.#keptInSecond.set(key, kept + 1);
    return true;
  }

  add(record: InvocationRecord): void {
    const bytes = sizeOf(record);
    if (this.#waiting.size >= limit("invocationRecordsBufferedMax") || this.#bytes + bytes > limit("invocationRecordsBufferedBytesMax")) {
      this.#options.telemetry.metrics.recordsDropped("full", 1);
      return;
    }
    this.#waiting.set(record.id, record);
    this.#bytes += bytes;
    this.#timer ??= this.#options.runtime.timer(limit("invocationRecordsFlushMs"), () => {
      this.#timer = undefined;
      this.#flushing = this.flush();
    });
  }

  /** A record that is not written yet. */
  get(id: string): InvocationRecord | undefined {
    return this.#waiting.get(id);
  }

  /** Writes what waits; what cannot be written is dropped and counted. */
  async flush(): Promise<void> {
    await this.#flushing;
    this.#timer?.cancel();
    this.#timer = undefined;
    const records = [...this.#waiting.values()];
    this.#bytes = 0;
    const byScope = Map.groupBy(records, (record) => `${record.tenant}\n${record.branch}`);
    await Promise.all([...byScope.values()].map((group) => this.#write(group)));
  }

  async #write(group: readonly InvocationRecord[]): Promise<void> {
    const { database, telemetry, retention } = this.#options;
    const first = group[0];
    if (first === undefined) return;
    const scope: Scope = { tenant: first.tenant, branch: first.branch };
    try {
      await database.update(scope, async ({ records }) => {
        for (const record of group) {
          records.put(INVOCATIONS, [record.id], record);
          retention.note(records, "invocations", scope, record.createdMs);
        }
      });
      for (const record of group) retention.committed("invocations", scope, record.createdMs);
    } catch (error) {
      telemetry.metrics.recordsDropped("failed", group.length);
      telemetry.log.warn({ error, records: group.length }, "records of finished calls could not be written");
    } finally {
      for (const record of group) if (this.#waiting.get(record.id) === record) this.#waiting.delete(record.id);
    }
  }
}

function sizeOf(record: InvocationRecord): number {
  let bytes =
    512 +
    (record.valueText?.length ?? 0) +
    (record.error?.message.length ?? 0) +
    (record.error?.stack?.length ?? 0) +
    (record.error?.dataText?.length ?? 0);
  for (const line of record.logs) bytes += 64 + line.text.length;
  return bytes;
}

/** Deletes blobs of results and artefacts when the records that refer to them are gone: once a day, by age. */
import type { Blobs } from "../blobs/blobs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { isResultSpace } from "./large-results.ts";

const DAY_MS = 86_400_000;
const FIRST_MS = 600_000;

export interface ResultBlobsOptions {
  readonly blobs: Pick<Blobs, "tenants" | "list" | "delete">;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly retentionMs: number;
}

export class ResultBlobs {
  readonly #options: ResultBlobsOptions;
  #timer: { cancel(): void } | undefined;
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ResultBlobsOptions) {
    this.#options = options;
  }

  /** The first time soon after the start, because hosts may be restarted every day. */
  start(delayMs = FIRST_MS): void {
    this.#timer = this.#options.runtime.timer(delayMs, () => {
      this.#work = this.collect()
        .then(() => undefined)
        .catch((error: unknown) => this.#options.log.warn({ error }, "old results could not be deleted; it is tried again tomorrow"))
        .finally(() => {
          if (!this.#stopped) this.start(DAY_MS);
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#work;
  }

  /** Returns how many were deleted. A record is deleted up to a day after its retention, so a blob stays a day longer. */
  async collect(): Promise<number> {
    const { blobs, runtime, retentionMs } = this.#options;
    const beforeMs = runtime.nowMs() - retentionMs - 2 * DAY_MS;
    let deleted = 0;
    for (const space of await blobs.tenants()) {
      if (!isResultSpace(space)) continue;
      for await (const { digest, putMs } of blobs.list(space)) {
        if (this.#stopped) return deleted;
        if (putMs >= beforeMs) continue;
        // The same result may be put again at this moment, for another record.
        await blobs.delete(space, digest, { putBeforeMs: beforeMs });
        deleted++;
      }
    }
    return deleted;
  }
}

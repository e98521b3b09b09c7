import { setImmediate as nextTurn } from "node:timers/promises";
import { assert } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Timestamp } from "../store.ts";
import type { MomentsInUse } from "./snapshots.ts";
import type { WriterClient } from "./writer-client.ts";

export interface HistoryOptions {
  readonly runtime: Runtime;
  readonly writer: WriterClient;
  readonly inUse: MomentsInUse;
  readonly horizon: Timestamp;
  readonly retentionMs: number;
  readonly intervalMs: number;
  /** The timestamp of the last durable commit. */
  readonly latest: () => Timestamp;
  /** The oldest commit of the log. */
  readonly oldestCommit: () => Timestamp | undefined;
  /** Whether commits wait; then collection leaves them room between its slices. */
  readonly busy: () => boolean;
}

/** How long commits have the writer for themselves between two slices of collection. */
const PAUSE_MS = 5;

/**
 * Decides up to where history is collected: the horizon is the oldest moment that can be read. It moves
 * forward here first, so that from then on nobody can begin to read what the writer is about to remove.
 */
export class History {
  readonly #options: HistoryOptions;
  #horizon: Timestamp;
  #running: Promise<{ removed: number }> | undefined;
  #timer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#horizon = options.horizon;
  }

  get horizon(): Timestamp {
    return this.#horizon;
  }

  /** Collects again and again in the background. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.runtime.timer(this.#options.intervalMs, () => {
      // A failure of the disk is reported to those who commit; collection tries again next time.
      this.collect().then(
        () => this.start(),
        () => this.start(),
      );
    });
  }

  collect(): Promise<{ removed: number }> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends after the slice that is on its way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<{ removed: number }> {
    const { runtime, writer, inUse, latest, oldestCommit, busy, retentionMs } = this.#options;
    const oldestKept = Math.floor((runtime.nowMs() - retentionMs) * 1000);
    const horizon = Math.min(oldestKept, inUse.oldest(), latest());
    // Without a commit up to the horizon there is nothing to remove, and older moments stay readable.
    if ((oldestCommit() ?? Infinity) > horizon) return { removed: 0 };
    this.#horizon = Math.max(this.#horizon, horizon);
    let removed = 0;
    while (!this.#stopped) {
      const reply = await writer.request({ kind: "collect", horizon: this.#horizon });
      if (reply.kind === "failed") throw plinthError("StoreFailure", { what: `collect history: ${reply.reason}` });
      assert(reply.kind === "collected", "a slice is answered with what it removed");
      removed += reply.removed;
      if (reply.done) break;
      await (busy() ? runtime.sleep(PAUSE_MS) : nextTurn());
    }
    return { removed };
  }
}

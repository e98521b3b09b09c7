import { plinthError } from "@plinth/core/errors.ts";
import { CheckpointClient } from "./checkpoint-client.ts";
import type { PinnedConnection } from "./pinned-connection.ts";
import type { WriterClient } from "./writer-client.ts";

/** What comes during one round is moved by another, until so little is left that commits can wait for it. */
const SMALL_PAGES = 256;
const ROUNDS = 4;
/** At so many times its size, the log starts anew without waiting for the checkpoint thread. */
const PAGES_FACTOR = 4;

/**
 * Keeps the write-ahead log small. When it exceeds its size, the checkpoint thread moves it into the database
 * file while commits go on. Then the writer moves the little that came meanwhile and starts the log
 * anew; the reading connection lets go of its pin for that moment, since the log cannot start anew under
 * a reader. A backup reads at one moment for long; until its end the log is moved, but grows.
 */
export class WalKeeper {
  readonly #writer: WriterClient;
  readonly #connection: PinnedConnection;
  readonly #pagesMax: number;
  readonly #mover: CheckpointClient;
  #pages = 0;
  #nextAtPages: number;
  #holders = 0;
  #running: Promise<void> | undefined;
  #starting: Promise<void> | undefined;

  constructor(options: { databaseFile: string; writer: WriterClient; connection: PinnedConnection; pagesMax: number }) {
    this.#writer = options.writer;
    this.#connection = options.connection;
    this.#pagesMax = options.pagesMax;
    this.#mover = new CheckpointClient({ databaseFile: options.databaseFile });
    this.#nextAtPages = options.pagesMax;
  }

  /** Pages of the write-ahead log, as the writer last said. */
  get pages(): number {
    return this.#pages;
  }

  /** Moves what an earlier host left in the log. */
  async restart(): Promise<void> {
    const reply = await this.#writer.request({ kind: "checkpoint" });
    if (reply.kind === "failed") throw plinthError("StoreFailure", { what: `open its database: ${reply.reason}` });
  }

  /** The log has so many pages now. */
  grown(pages: number): void {
    this.#pages = pages;
    // The checkpoint thread falls behind, or has just begun to start: now commits wait.
    if (pages >= this.#pagesMax * PAGES_FACTOR && this.#holders === 0) void this.#startAnew();
    if (pages < this.#nextAtPages || this.#running !== undefined) return;
    this.#running = this.#checkpoint().finally(() => {
      this.#running = undefined;
    });
  }

  /** Runs `work`, which reads at one moment for long. */
  async whileHeld<T>(work: () => Promise<T>): Promise<T> {
    this.#holders += 1;
    try {
      return await work();
    } finally {
      this.#holders -= 1;
      if (this.#holders === 0) this.#nextAtPages = this.#pagesMax;
    }
  }

  /** Resolves when no checkpoint is on its way and none will come. */
  async close(): Promise<void> {
    this.#nextAtPages = Infinity;
    await this.#running;
    await this.#starting;
    await this.#mover.close();
  }

  async #checkpoint(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const result = await this.#mover.move();
      if (result === undefined || result.pagesLeft < SMALL_PAGES) break;
    }
    if (this.#holders === 0) await this.#startAnew();
    this.#nextAtPages = this.#pages + this.#pagesMax;
  }

  #startAnew(): Promise<void> {
    this.#starting ??= this.#askWriter().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #askWriter(): Promise<void> {
    this.#connection.keepPin(false);
    try {
      const reply = await this.#writer.request({ kind: "checkpoint" });
      if (reply.kind === "checkpointed" && reply.pagesLeft === 0) this.#pages = 0;
    } catch {
      // The writer thread was lost; the log is moved again when it has grown.
    } finally {
      this.#connection.keepPin(true);
    }
  }
}

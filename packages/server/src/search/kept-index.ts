/** An index of one table that is kept: how it is made, and kept up with the commits. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { Breather } from "../database/breather.ts";
import type { Scope } from "../database/database.ts";
import { SerialQueue } from "../engine/serial-queue.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Timestamp } from "../store/store.ts";
import { documentIdOf, readDocument, type TableReader } from "./read-tables.ts";
import { searchedDocument } from "./searched-document.ts";
import { TableIndex } from "./table-index.ts";

export interface KeptIndexOptions {
  readonly reader: TableReader;
  readonly runtime: Runtime;
  readonly scope: Scope;
  readonly table: string;
  readonly tableNumber: number;
  readonly vectorField: string;
  /** Indexes of one tenant are made one after the other. */
  readonly making: SerialQueue;
  /** Called as it grows. Throws when there is no place. */
  readonly grown: () => void;
}

/** What an index takes that holds nothing. */
const EMPTY_BYTES = 16 * 1024;
const CHANGE_BYTES = 128;

export class KeptIndex {
  readonly options: KeptIndexOptions;
  /** Callers that are still there. */
  #waiting = 0;
  #working = false;
  readonly #ended = new AbortController();
  readonly #queue = new SerialQueue();
  readonly #breather: Breather;
  #index: TableIndex | undefined;
  /** Documents that were written, by internal id (latin1), and when last. */
  readonly #changes = new Map<string, Timestamp>();
  #overrun = false;
  #at: Timestamp = 0;
  #failed: { readonly error: PlinthError; readonly untilMs: number } | undefined;

  constructor(options: KeptIndexOptions) {
    this.options = options;
    this.#breather = new Breather(options.runtime);
  }

  get bytes(): number {
    return EMPTY_BYTES + (this.#index?.bytes ?? 0) + this.#changes.size * CHANGE_BYTES;
  }

  /** Whether it is being read, made or brought up to date. */
  get isBusy(): boolean {
    return this.#working || this.#waiting > 0;
  }

  /** The latest moment that it was brought up to. */
  get at(): Timestamp {
    return this.#at;
  }

  /** A commit wrote a document of the table. */
  changed(internalId: Uint8Array, ts: Timestamp): void {
    if (this.#overrun) return;
    this.#changes.set(Buffer.from(internalId).toString("latin1"), ts);
    if (this.#changes.size <= limit("searchChangesMax")) return;
    this.#overrun = true;
    this.#changes.clear();
  }

  /** It is used no more; what is being made is given up. */
  end(): void {
    this.#ended.abort(plinthError("ShuttingDown", {}));
  }

  /**
   * The index with everything that was committed up to `at`, and perhaps some that was committed after it. Making one goes on when the
   * caller is gone, so that callers with little time are not each the first to wait.
   */
  async upTo(at: Timestamp, signal: AbortSignal): Promise<TableIndex> {
    signal.throwIfAborted();
    this.#waiting += 1;
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    const work = this.#queue.run(() => this.#upTo(at));
    work.catch(() => undefined);
    try {
      return await Promise.race([work, gone.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      this.#waiting -= 1;
    }
  }

  async #upTo(at: Timestamp): Promise<TableIndex> {
    this.#working = true;
    try {
      if (this.#index === undefined || this.#overrun || this.#index.isWorn) return await this.options.making.run(() => this.#make());
      await this.#follow(this.#index, at);
      return this.#index;
    } finally {
      this.#working = false;
    }
  }

  /** The table is read page by page as it is; what was written since the beginning is read again at the end. */
  async #make(): Promise<TableIndex> {
    const { reader, scope, table, vectorField, grown, runtime } = this.options;
    this.#ended.signal.throwIfAborted();
    if (this.#failed !== undefined && this.#failed.untilMs > runtime.monotonicMs()) throw this.#failed.error;
    this.#failed = undefined;
    this.#overrun = false;
    this.#changes.clear();
    const index = new TableIndex();
    // Nobody waits any more: the next one begins.
    if (this.#waiting === 0) return index;
    this.#index = index;
    try {
      for await (const page of reader.pages(scope, table, this.#ended.signal)) {
        for (const document of page) {
          index.put(searchedDocument(document, vectorField));
          await this.#breather.breathe();
        }
        grown();
        if (this.#changes.size > limit("searchPageRows")) await this.#follow(index, reader.latest());
      }
      await this.#follow(index, reader.latest());
    } catch (error) {
      this.#index = undefined;
      this.#keepFailure(error);
      throw error;
    }
    return this.#overrun ? await this.#make() : index;
  }

  async #follow(index: TableIndex, at: Timestamp): Promise<void> {
    const due = [...this.#changes].filter(([, ts]) => ts <= at);
    const { reader, scope, vectorField, tableNumber, grown } = this.options;
    for (let from = 0; from < due.length; from += limit("searchPageRows")) {
      const part = due.slice(from, from + limit("searchPageRows"));
      await reader.read(scope, at, async (transaction) => {
        for (const [internalId, ts] of part) {
          const id = documentIdOf(tableNumber, Buffer.from(internalId, "latin1"));
          const document = await readDocument(transaction, id);
          if (document === undefined) index.remove(id);
          else this.#put(index, searchedDocument(document, vectorField));
          // It may have been written once more meanwhile.
          if (this.#changes.get(internalId) === ts) this.#changes.delete(internalId);
          await this.#breather.breathe();
        }
      });
      grown();
    }
    this.#at = Math.max(this.#at, at);
  }

  /** An index that is full is of no use: the table has outgrown it. */
  #put(index: TableIndex, document: Parameters<TableIndex["put"]>[0]): void {
    try {
      index.put(document);
    } catch (error) {
      this.#index = undefined;
      this.#keepFailure(error);
      throw error;
    }
  }

  /** A table that is too large stays so for a while; it is not read again for each search. */
  #keepFailure(error: unknown): void {
    if (!(error instanceof PlinthError) || error.code !== "LimitExceeded") return;
    this.#failed = { error, untilMs: this.options.runtime.monotonicMs() + limit("searchFailureKeptMs") };
  }
}

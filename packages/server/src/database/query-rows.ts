/** The rows of one query, one after the other: reads its range, fetches documents, applies filters and limits. */
import { must } from "@plinth/core/assert.ts";
import { evaluateFilter } from "@plinth/core/documents/filter.ts";
import { keyAfter } from "@plinth/core/documents/keys.ts";
import type { StepBudget } from "@plinth/core/documents/step-budget.ts";
import type { Entry, Key, KeyRange } from "../store/store.ts";
import { parseDocument } from "./documents.ts";
import type { KeySpace } from "./key-space.ts";
import type { QueryPlan, QuerySource } from "./query-plan.ts";
import type { Usage } from "./usage.ts";
import { storedText, type View } from "./view.ts";

/** Entries that are read at once when it is not known how many are needed; grows, because few rows may pass a filter. */
const BATCH_START = 16;
const BATCH_LARGEST = 256;
/** Bytes that a batch of whole documents is meant to have. */
const BATCH_BYTES = 1024 * 1024;

export interface RowsContext {
  readonly view: View;
  readonly keys: KeySpace;
  readonly usage: Usage;
  /** Of all queries of the transaction. */
  readonly filters: StepBudget;
}

/** Stops the reading before the next row. */
export type StopRule = (rowsRead: number, bytesRead: number) => boolean;

export class QueryRows {
  readonly #context: RowsContext;
  readonly #plan: QueryPlan;
  readonly #filtered: boolean;
  /** Rows that each limit operator still lets through. */
  readonly #limits: number[];
  /** What is not read yet; null at the end. */
  #rest: KeyRange | null;
  #batch = BATCH_START;
  #rowsRead = 0;
  #bytesRead = 0;

  /** `range` narrows the range of the plan. */
  constructor(context: RowsContext, plan: QueryPlan, range: KeyRange | null = plan.source?.range ?? null) {
    this.#context = context;
    this.#plan = plan;
    this.#filtered = plan.operators.some(({ kind }) => kind === "filter");
    this.#limits = plan.operators.map((operator) => (operator.kind === "limit" ? operator.rows : Number.POSITIVE_INFINITY));
    this.#rest = this.#limits.includes(0) ? null : range;
  }

  /** No row follows. */
  get done(): boolean {
    return this.#rest === null;
  }

  get rowsRead(): number {
    return this.#rowsRead;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * Reads until `wanted` rows have passed, the end is reached or `stop` says so, and adds their texts to `into`.
   * `onRead` sees the key of every row that was read, filtered or not.
   */
  async read(wanted: number, into: string[], options?: { readonly stop: StopRule; readonly onRead: (key: Key) => void }): Promise<void> {
    const target = into.length + wanted;
    const { source } = this.#plan;
    while (source !== null && this.#rest !== null && into.length < target) {
      if (options?.stop(this.#rowsRead, this.#bytesRead) === true) return;
      const range: KeyRange = this.#rest;
      const { entries, exhausted } = await this.#context.view.peek({
        range,
        order: this.#plan.order,
        limit: this.#batchSize(source, target - into.length),
      });
      let consumed = entries.length;
      try {
        consumed = await this.#consume(entries, { source, target, into, ...options });
      } catch (error) {
        // The function may go on after the error and knows then what stood here.
        this.#recordRead(range, exhausted ? undefined : entries.at(-1));
        throw error;
      }
      const whole = consumed === entries.length && exhausted;
      this.#recordRead(range, whole ? undefined : entries[consumed - 1]);
      if (whole) this.#rest = null;
      await this.#context.view.breather.breathe();
    }
  }

  #batchSize(source: QuerySource, wanted: number): number {
    const needed = this.#filtered ? this.#batch : Math.max(1, Math.min(wanted, ...this.#limits));
    this.#batch = Math.min(2 * this.#batch, BATCH_LARGEST);
    if (source.kind === "index") return Math.min(needed, BATCH_LARGEST);
    // Entries are documents here, which may be large: as many as the average so far allows.
    const allowed = this.#rowsRead === 0 ? BATCH_START : Math.ceil((BATCH_BYTES * this.#rowsRead) / (this.#bytesRead + 1));
    return Math.min(needed, allowed, BATCH_LARGEST);
  }

  /** Returns how many entries were consumed. */
  async #consume(
    entries: readonly Entry[],
    work: {
      readonly source: QuerySource;
      readonly target: number;
      readonly into: string[];
      readonly stop?: StopRule;
      readonly onRead?: (key: Key) => void;
    },
  ): Promise<number> {
    let consumed = 0;
    for (const entry of entries) {
      if (work.into.length >= work.target || this.#rest === null) break;
      if (consumed > 0 && work.stop?.(this.#rowsRead, this.#bytesRead) === true) break;
      const bytes = await this.#documentOf(entry, work.source);
      this.#rowsRead++;
      this.#bytesRead += bytes.length;
      this.#context.usage.countDocumentRead(bytes.length);
      work.onRead?.(entry.key);
      const text = storedText(bytes);
      if (this.#passes(text)) work.into.push(text);
      consumed++;
      if (this.#filtered) await this.#context.view.breather.breathe();
    }
    return consumed;
  }

  async #documentOf(entry: Entry, source: QuerySource): Promise<Uint8Array> {
    if (source.kind === "documents") return entry.value;
    return must(await this.#context.view.get(this.#context.keys.document(source.table, entry.value)), "an index entry has a document");
  }

  /** Runs a document through the operators in their order. */
  #passes(text: string): boolean {
    const { filters } = this.#context;
    filters.startPiece();
    let document: ReturnType<typeof parseDocument> | undefined;
    for (const [at, operator] of this.#plan.operators.entries()) {
      if (operator.kind === "filter") {
        document ??= parseDocument(text);
        if (!evaluateFilter(operator.expression, document, filters)) return false;
      } else {
        const left = (this.#limits[at] ?? 0) - 1;
        this.#limits[at] = left;
        if (left === 0) this.#rest = null;
        if (left < 0) return false;
      }
    }
    return true;
  }

  /** Puts what was consumed into the read set; all of `range` when `last` is undefined. */
  #recordRead(range: KeyRange, last: Entry | undefined): void {
    const { reads } = this.#context.view;
    if (last === undefined) return reads.addRange(range.start, range.end);
    const split = this.#plan.order === "asc" ? keyAfter(last.key) : last.key;
    const [read, rest]: [KeyRange, KeyRange] =
      this.#plan.order === "asc"
        ? [
            { start: range.start, end: split },
            { start: split, end: range.end },
          ]
        : [
            { start: split, end: range.end },
            { start: range.start, end: split },
          ];
    reads.addRange(read.start, read.end);
    if (this.#rest !== null) this.#rest = rest;
  }
}

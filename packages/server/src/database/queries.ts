/** The queries of one transaction: streams that are read bit by bit, pages and counts. */
import { assert, must } from "@plinth/core/assert.ts";
import { filterBudget } from "@plinth/core/documents/filter.ts";
import { keyAfter } from "@plinth/core/documents/keys.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeySpace } from "./key-space.ts";
import type { QueryNextArguments, QueryPageArguments } from "./parse-syscalls.ts";
import { readPage } from "./query-page.ts";
import { planQuery } from "./query-plan.ts";
import { QueryRows, type RowsContext } from "./query-rows.ts";
import type { TransactionCatalogue } from "./transaction-catalogue.ts";
import type { Usage } from "./usage.ts";
import type { View } from "./view.ts";

/** Bytes of rows after which an answer to `queryNext` is sent although more rows were asked for. */
const ANSWER_BYTES = 1024 * 1024;
const COUNT_BATCH = 1024;

interface OpenQuery {
  readonly rows: QueryRows;
  readonly bytes: number;
}

export class Queries {
  readonly #context: RowsContext;
  readonly #catalogue: TransactionCatalogue;
  /** One map for each open call: a nested call cannot touch the streams of its caller. */
  readonly #streams: Map<number, OpenQuery>[] = [new Map()];
  #openBytes = 0;

  constructor(options: { readonly view: View; readonly keys: KeySpace; readonly usage: Usage; readonly catalogue: TransactionCatalogue }) {
    const { view, keys, usage } = options;
    this.#context = { view, keys, usage, filters: filterBudget() };
    this.#catalogue = options.catalogue;
  }

  /** How many calls are open: 1 without a nested one. */
  get layers(): number {
    return this.#streams.length;
  }

  startLayer(): void {
    this.#streams.push(new Map());
  }

  endLayer(): void {
    assert(this.#streams.length > 1, "a nested call is open");
    for (const { bytes } of this.#streams.pop()?.values() ?? []) this.#openBytes -= bytes;
  }

  /** The next rows of a stream; `argumentBytes` is what an opened one holds on to. */
  async next({ stream, rows, query }: QueryNextArguments, argumentBytes: number): Promise<string> {
    if (query !== undefined) {
      const opened = await this.#plan(query);
      this.#open(stream, { rows: new QueryRows(this.#context, opened), bytes: argumentBytes });
    }
    const open = this.#current.get(stream);
    if (open === undefined) throw plinthError("InvalidArgument", { detail: `There is no query stream ${stream}.` });
    const texts: string[] = [];
    const before = open.rows.bytesRead;
    await open.rows.read(rows, texts, { stop: (_, bytesRead) => bytesRead - before >= ANSWER_BYTES, onRead: () => {} });
    if (open.rows.done) this.close(stream);
    return `{"rows":[${texts.join(",")}],"done":${open.rows.done}}`;
  }

  close(stream: number): void {
    const open = this.#current.get(stream);
    if (open === undefined) return;
    this.#current.delete(stream);
    this.#openBytes -= open.bytes;
  }

  async page(page: QueryPageArguments): Promise<string> {
    const plan = await this.#plan(page.query);
    return readPage(this.#context, plan, { page, cursors: this.#catalogue.current.cursors });
  }

  async count(tableName: string): Promise<number> {
    const { view, keys, usage } = this.#context;
    usage.countQuery();
    const table = (await this.#catalogue.load()).table(tableName);
    if (table === undefined) return 0;
    const { start, end } = keys.index(table.creationIndex);
    let from = start;
    for (let count = 0; ;) {
      const { entries, exhausted } = await view.range({ range: { start: from, end }, order: "asc", limit: COUNT_BATCH });
      for (let read = 0; read < entries.length; read++) usage.countDocumentRead(0);
      count += entries.length;
      const last = entries.at(-1);
      if (exhausted || last === undefined) return count;
      from = keyAfter(last.key);
      await view.breather.breathe();
    }
  }

  get #current(): Map<number, OpenQuery> {
    return must(this.#streams.at(-1), "a call is open");
  }

  async #plan(query: QueryPageArguments["query"]): Promise<ReturnType<typeof planQuery>> {
    this.#context.usage.countQuery();
    return planQuery(query, await this.#catalogue.load(), this.#context.keys);
  }

  #open(stream: number, query: OpenQuery): void {
    if (this.#current.has(stream)) throw plinthError("InvalidArgument", { detail: `The query stream ${stream} is open already.` });
    const max = limit("openQueriesBytesMax");
    const actual = this.#openBytes + query.bytes;
    if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of open queries", actual, max });
    this.#current.set(stream, query);
    this.#openBytes = actual;
  }
}

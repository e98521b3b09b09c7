/** Makes the search of a host. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { objectNames } from "@plinth/core/operations/object-name.ts";
import { decodeDocumentId } from "@plinth/core/documents/ids.ts";
import { Breather } from "../database/breather.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Store, Timestamp } from "../store/store.ts";
import { fuse, type Fused, type Ranked } from "./fuse.ts";
import { KeptIndexes } from "./kept-indexes.ts";
import { ownTables, readDocument, TableReader } from "./read-tables.ts";
import type { Found, Search, SearchRequest, SearchResult } from "./search.ts";
import { markOf, unitVector } from "./searched-document.ts";
import type { TableIndex } from "./table-index.ts";
import { queryWords } from "./words.ts";

export interface SearchOptions {
  readonly database: Database;
  readonly store: Pick<Store, "onCommit">;
  readonly runtime: Runtime;
}

interface Hit {
  readonly table: string;
  readonly id: string;
}

export function openSearch(options: SearchOptions): Search {
  return new HostSearch(options);
}

class HostSearch implements Search {
  readonly #database: Database;
  readonly #runtime: Runtime;
  readonly #reader: TableReader;
  readonly #indexes: KeptIndexes;
  readonly #stopListening: () => void;

  constructor({ database, store, runtime }: SearchOptions) {
    this.#database = database;
    this.#runtime = runtime;
    this.#reader = new TableReader({ database, runtime });
    this.#indexes = new KeptIndexes({ reader: this.#reader, runtime });
    this.#stopListening = store.onCommit((commit) => this.#indexes.committed(commit));
  }

  async search(scope: Scope, request: SearchRequest, signal: AbortSignal): Promise<Found> {
    const words = queryWords(request.text ?? "");
    const vector = request.vector === null ? null : unitVector(request.vector);
    if (request.vector !== null && vector === null)
      throw invalid("The vector of a search has to be a list of numbers that are not all zero.");
    const { at, indexes } = await this.#upToDate(scope, request, signal);
    const marks = Object.entries(request.filters).map(([name, value]) => markOf(name, value));
    const breather = new Breather(this.#runtime);
    const byWords: Ranked<Hit>[] = [];
    const byVector: Ranked<Hit>[] = [];
    for (const [table, index] of indexes) {
      signal.throwIfAborted();
      const hit = ({ item, score }: Ranked<string>): Ranked<Hit> => ({ item: { table, id: item }, score });
      if (words.length > 0) byWords.push(...(await index.byWords(words, marks, breather)).map(hit));
      if (vector === null) continue;
      const { found, otherDimensions } = await index.byVector(vector, marks, breather);
      if (otherDimensions !== null)
        throw invalid(
          `The vectors in the field \`${request.vectorField}\` of \`${table}\` have ${otherDimensions} dimensions, and that of the search ${vector.length}.`,
        );
      byVector.push(...found.map(hit));
    }
    const lists = [byWords, byVector].map((list) => list.sort((a, b) => b.score - a.score).slice(0, limit("searchCandidatesMax")));
    return { at, results: await this.#read(scope, { at, request, hits: fuse(lists, ({ table, id }) => `${table}/${id}`) }) };
  }

  async tables(scope: Scope): Promise<ReadonlyMap<string, string | null>> {
    return await this.#reader.read(scope, undefined, async (transaction) => {
      const objects = objectNames((await transaction.schema())?.tables.keys() ?? []);
      const names = [...(await ownTables(transaction)).keys()].sort((a, b) => (a < b ? -1 : 1));
      return new Map(names.map((name) => [name, objects.get(name) ?? null]));
    });
  }

  async documents(scope: Scope, ids: readonly string[]) {
    return await this.#reader.read(scope, undefined, async (transaction) => {
      const names = new Map([...(await ownTables(transaction))].map(([name, number]) => [number, name]));
      const found: { table: string; id: string; document: NonNullable<Awaited<ReturnType<typeof readDocument>>> }[] = [];
      for (const id of ids) {
        const table = names.get(decodeDocumentId(id)?.tableNumber ?? -1);
        const document = table === undefined ? undefined : await readDocument(transaction, id);
        if (table !== undefined && document !== undefined) found.push({ table, id, document });
      }
      return found;
    });
  }

  forget(scope: Scope): void {
    this.#indexes.forget(scope);
  }

  status() {
    return this.#indexes.status();
  }

  close(): void {
    this.#stopListening();
    this.#indexes.clear();
  }

  /** Q1. The indexes at one moment. Those that other searches brought further pull the moment on; after some rounds it stays. */
  async #upToDate(
    scope: Scope,
    { tables, vectorField }: SearchRequest,
    signal: AbortSignal,
  ): Promise<{ readonly at: Timestamp; readonly indexes: ReadonlyMap<string, TableIndex> }> {
    let at = this.#database.latest();
    const numbers = await this.#reader.read(scope, at, ownTables);
    for (let round = 1; ; round += 1) {
      const indexes = new Map<string, TableIndex>();
      let furthest = at;
      for (const table of new Set(tables)) {
        const tableNumber = numbers.get(table);
        if (tableNumber === undefined) continue;
        const kept = this.#indexes.of(scope, { table, tableNumber, vectorField });
        indexes.set(table, await kept.upTo(at, signal));
        furthest = Math.max(furthest, kept.at);
      }
      if (furthest === at || round >= limit("searchRoundsMax")) return { at, indexes };
      at = furthest;
    }
  }

  /** The best as they are in the snapshot; what is not there any more, or does not fit the filters, makes room for the next. */
  async #read(
    scope: Scope,
    { at, request, hits }: { readonly at: Timestamp; readonly request: SearchRequest; readonly hits: readonly Fused<Hit>[] },
  ): Promise<readonly SearchResult[]> {
    return await this.#reader.read(scope, at, async (transaction) => {
      const results: SearchResult[] = [];
      for (const hit of hits) {
        if (results.length >= request.limit) break;
        const result = await resultOf(transaction, hit, request.filters);
        if (result !== undefined) results.push(result);
      }
      return results;
    });
  }
}

async function resultOf(
  transaction: Transaction,
  { item: { table, id }, score, scores }: Fused<Hit>,
  filters: SearchRequest["filters"],
): Promise<SearchResult | undefined> {
  const document = await readDocument(transaction, id);
  if (document === undefined) return undefined;
  // Two values may have one mark.
  if (!Object.entries(filters).every(([name, value]) => Object.hasOwn(document, name) && document[name] === value)) return undefined;
  return { table, id, score, textScore: scores[0] ?? null, vectorScore: scores[1] ?? null, document };
}

function invalid(detail: string) {
  return plinthError("InvalidArgument", { detail });
}

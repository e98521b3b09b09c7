/** Reads tables for search: in pages, each in a transaction of its own. */
import { encodeDocumentId, USER_TABLE_NUMBER_MIN } from "@plinth/core/documents/ids.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Timestamp } from "../store/store.ts";
import { parseDocumentText, parsePageText } from "./parse-documents.ts";
import type { JsonLike } from "../ai/json.ts";

export class TableReader {
  readonly #database: Database;
  readonly #runtime: Runtime;

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** Reads in one transaction at the moment; the latest when there is none. */
  async read<T>(scope: Scope, at: Timestamp | undefined, body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const begun = await this.#database.begin(scope, {
      readonly: true,
      nowMs: this.#runtime.nowMs(),
      ...(at === undefined ? {} : { at }),
    });
    try {
      return await body(begun);
    } finally {
      begun.release();
    }
  }

  latest(): Timestamp {
    return this.#database.latest();
  }

  /** Each page as it is when it is read. */
  async *pages(scope: Scope, table: string, signal: AbortSignal): AsyncGenerator<readonly JsonLike[]> {
    let cursor: string | null = null;
    for (;;) {
      signal.throwIfAborted();
      const argument = JSON.stringify({
        query: { source: { type: "FullTableScan", tableName: table, order: "asc" }, operators: [] },
        version: "1.0.0",
        cursor,
        pageSize: limit("searchPageRows"),
        maximumBytesRead: limit("transactionReadBytesMax") / 2,
      });
      const page = parsePageText(await this.read(scope, undefined, (transaction) => transaction.syscall("1.0/queryPage", argument)));
      yield page.documents;
      if (page.isDone) return;
      cursor = page.cursor;
    }
  }
}

/** Undefined when there is no such document. */
export async function readDocument(transaction: Transaction, id: string): Promise<JsonLike | undefined> {
  return parseDocumentText(await transaction.syscall("1.0/get", JSON.stringify({ id, isSystem: false, version: "1.0.0" })));
}

export function documentIdOf(tableNumber: number, internalId: Uint8Array): string {
  return encodeDocumentId({ tableNumber, internalId });
}

/** The numbers of the branch's own tables by name. */
export async function ownTables(transaction: Transaction): Promise<ReadonlyMap<string, number>> {
  const tables = Object.entries(await transaction.tables());
  return new Map(tables.filter(([name, number]) => number >= USER_TABLE_NUMBER_MIN && !name.startsWith("_")));
}

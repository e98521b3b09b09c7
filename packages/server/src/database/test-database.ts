/** A database over a real store in a folder of its own, and short forms of the calls that tests make. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Database, Scope, Transaction } from "./database.ts";
import { openDatabase } from "./open-database.ts";

export interface TestDatabase {
  readonly database: Database;
  readonly store: Store;
  readonly runtime: Runtime;
  close(): Promise<void>;
}

export async function openTestDatabase(runtime: Runtime = createSystemRuntime()): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "plinth-database-"));
  const store = await openSqliteStore({ dataDir: folder, runtime });
  const database = await openDatabase({ store, runtime });
  return {
    database,
    store,
    runtime,
    close: async () => {
      await database.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

let nowMs = 1_700_000_000_000;

/** A clock that moves on with each look. */
export function nextNowMs(): number {
  nowMs += 1000;
  return nowMs;
}

let scopes = 0;

/** A branch that no other test uses. */
export function newScope(): Scope {
  scopes++;
  return { tenant: `tenant-${scopes}`, branch: "main" };
}

export type Json = unknown;

/** The calls as the authoring package makes them. */
export function callsOf(transaction: Transaction): Calls {
  return new Calls(transaction);
}

export interface QueryRequest {
  readonly source: Json;
  readonly operators: readonly Json[];
}

/** A query of the whole table, or of an index when `range` is given. */
export function query(
  table: string,
  options: {
    readonly index?: string;
    readonly range?: readonly Json[];
    readonly order?: "asc" | "desc";
    readonly operators?: readonly Json[];
  } = {},
): QueryRequest {
  const order = options.order ?? "asc";
  const source =
    options.index === undefined
      ? { type: "FullTableScan", tableName: table, order }
      : { type: "IndexRange", indexName: `${table}.${options.index}`, range: options.range ?? [], order };
  return { source, operators: options.operators ?? [] };
}

export interface Row {
  readonly _id: string;
  readonly _creationTime: number;
  readonly [field: string]: Json;
}

export interface Page {
  readonly page: readonly Row[];
  readonly isDone: boolean;
  readonly continueCursor: string;
  readonly splitCursor: string | null;
  readonly pageStatus: string | null;
}

export class Calls {
  readonly #transaction: Transaction;
  #stream = 0;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  async raw(op: string, argument: Json): Promise<Json> {
    return JSON.parse(await this.#transaction.syscall(op, JSON.stringify(argument)));
  }

  async get(id: string, options: { readonly isSystem?: boolean; readonly table?: string } = {}): Promise<Row | null> {
    return (await this.raw("1.0/get", { id, isSystem: options.isSystem ?? false, version: "1.48.0", table: options.table })) as Row | null;
  }

  async insert(table: string, value: Json): Promise<string> {
    return ((await this.raw("1.0/insert", { table, value })) as { _id: string })._id;
  }

  async patch(id: string, value: Json): Promise<Json> {
    return this.raw("1.0/shallowMerge", { id, value });
  }

  async replace(id: string, value: Json): Promise<Json> {
    return this.raw("1.0/replace", { id, value });
  }

  async remove(id: string): Promise<Json> {
    return this.raw("1.0/remove", { id });
  }

  async count(table: string): Promise<number> {
    return (await this.raw("1.0/count", { table })) as number;
  }

  /** Reads all rows of a query, `rows` at a time. */
  async collect(request: QueryRequest, rows = 64): Promise<Row[]> {
    const stream = this.#stream++;
    const collected: Row[] = [];
    for (let first = true; ; first = false) {
      const argument = first ? { query: request, stream, rows } : { stream, rows };
      const answer = (await this.raw("plinth/queryNext", argument)) as { rows: Row[]; done: boolean };
      collected.push(...answer.rows);
      if (answer.done) return collected;
    }
  }

  async page(
    request: QueryRequest,
    options: {
      readonly cursor: string | null;
      readonly pageSize: number;
      readonly endCursor?: string | null;
      readonly maximumRowsRead?: number;
      readonly maximumBytesRead?: number;
    },
  ): Promise<Page> {
    return (await this.raw("1.0/queryPage", { query: request, version: "1.48.0", ...options })) as Page;
  }
}

/** Runs `body` in a transaction and commits it; the commit has to succeed. */
export async function write<T>(database: Database, scope: Scope, body: (calls: Calls, transaction: Transaction) => Promise<T>): Promise<T> {
  const transaction = await database.begin(scope, { readonly: false, nowMs: nextNowMs() });
  try {
    const value = await body(callsOf(transaction), transaction);
    const outcome = await transaction.commit();
    if (outcome.kind !== "committed") throw new Error(`conflict: ${outcome.what}`);
    return value;
  } finally {
    transaction.release();
  }
}

export async function read<T>(database: Database, scope: Scope, body: (calls: Calls, transaction: Transaction) => Promise<T>): Promise<T> {
  return database.read(scope, (transaction) => body(callsOf(transaction), transaction));
}

/** The text of `schema.export()`. */
export function schemaText(
  tables: Readonly<
    Record<
      string,
      {
        readonly document?: Json;
        readonly indexes?: Readonly<Record<string, readonly string[]>>;
        readonly staged?: Readonly<Record<string, readonly string[]>>;
      }
    >
  >,
  schemaValidation = true,
): string {
  const listOf = (indexes: Readonly<Record<string, readonly string[]>> = {}): Json[] =>
    Object.entries(indexes).map(([indexDescriptor, fields]) => ({ indexDescriptor, fields }));
  return JSON.stringify({
    tables: Object.entries(tables).map(([tableName, table]) => ({
      tableName,
      indexes: listOf(table.indexes),
      stagedDbIndexes: listOf(table.staged),
      searchIndexes: [],
      stagedSearchIndexes: [],
      vectorIndexes: [],
      stagedVectorIndexes: [],
      documentType: table.document ?? { type: "any" },
    })),
    schemaValidation,
  });
}

/** Prepares and activates a schema. */
export async function deploySchema(database: Database, scope: Scope, text: string | null): Promise<void> {
  const prepared = await database.prepareSchema(scope, text);
  await database.update(scope, (transaction) => database.activateSchema(transaction, prepared));
}

/** An object validator whose fields are given as validators; a name with `?` is optional. */
export function objectValidator(fields: Readonly<Record<string, Json>>): Json {
  return {
    type: "object",
    value: Object.fromEntries(
      Object.entries(fields).map(([name, fieldType]) => [name.replace("?", ""), { fieldType, optional: name.endsWith("?") }]),
    ),
  };
}

/** What a call failed with, or "no error". */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no error",
    (error: unknown) => error,
  );
}

/**
 * The database: Convex semantics over the store. This file is its contract; `open-database.ts` makes one.
 *
 * D1 A transaction reads one snapshot plus its own writes, and nothing else.
 * D2 Everything it read (documents, index ranges, records, the catalogue) is in its read set; a commit is
 *    refused as a conflict when another commit wrote into it meanwhile.
 * D3 Documents, their index entries, scheduled functions and platform records of one transaction commit together.
 * D4 A nested call's writes are undone alone when it fails; what it read stays in the read set.
 * D5 No limit of `core/limits.ts` can be passed by splitting work over nested calls.
 * D6 A branch that was made from another shows exactly the base's documents as of that moment with its own changes, whatever
 *    happens to the base later; a transaction in it conflicts only with commits into the branch.
 */
import type { EventRow } from "../events/event-records.ts";
import type { WaitingEvents } from "../events/waiting-events.ts";
import type { Schema } from "@plinth/core/documents/schema.ts";
import type { KeyRange, Timestamp } from "../store/store.ts";

/** Data of one branch of one tenant. The platform's own records use `PLATFORM_SCOPE`. */
export interface Scope {
  readonly tenant: string;
  readonly branch: string;
}

export type KeyPart = string | number | bigint | boolean | null;

/**
 * A table of platform records: typed JSON values under ordered keys, in the same store and transactions as
 * documents. All of them are listed in `record-tables.ts`, which gives each its number in the key space.
 * `T` is what `parse` returns; rows are written as JSON (bigint not allowed).
 */
export interface RecordTable<T> {
  readonly space: number;
  /**
   * `branch` (when absent): rows lie in the scope of the transaction. `platform`: rows lie under `PLATFORM_SCOPE`, whatever the
   * scope of the transaction that reads or writes them, so that a mutation commits its timer and its queue entry.
   */
  readonly placement?: "branch" | "platform";
  readonly name: string;
  readonly parse: (json: unknown) => T;
}

export interface Records {
  get<T>(table: RecordTable<T>, key: readonly KeyPart[]): Promise<T | undefined>;
  put<T>(table: RecordTable<T>, key: readonly KeyPart[], value: T): void;
  delete<T>(table: RecordTable<T>, key: readonly KeyPart[]): void;
  /** Rows whose key begins with `prefix`, in key order. `after` continues behind a key (before it when desc). */
  range<T>(
    table: RecordTable<T>,
    options: {
      readonly prefix: readonly KeyPart[];
      readonly after?: readonly KeyPart[];
      readonly order?: "asc" | "desc";
      readonly limit: number;
    },
  ): Promise<{ readonly key: readonly KeyPart[]; readonly value: T }[]>;
}

export interface TransactionMetrics {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly databaseQueries: number;
  readonly documentsRead: number;
  readonly documentsWritten: number;
  readonly functionsScheduled: number;
  readonly scheduledFunctionArgsBytes: number;
}

export interface Transaction {
  readonly scope: Scope;
  readonly readonly: boolean;
  /** Moment of the snapshot. */
  readonly ts: Timestamp;
  /**
   * Performs one database syscall (`1.0/get`, `1.0/insert`, `1.0/shallowMerge`, `1.0/replace`, `1.0/remove`,
   * `1.0/count`, `1.0/queryPage`, `plinth/queryNext`, `plinth/queryClose`): JSON text in, JSON text out.
   * The argument is hostile. Calls run one at a time in the order of their arrival. Throws PlinthError.
   */
  syscall(op: string, argText: string): Promise<string>;
  /** True when `op` is one that `syscall` performs. */
  handles(op: string): boolean;
  /** Table name → number, for the runner; system tables included. Reads the catalogue. */
  tables(): Promise<Readonly<Record<string, number>>>;
  /** The schema that is enforced, the same object while it is; null when there is none. Reads the catalogue. */
  schema(): Promise<Schema | null>;
  /** Resolves when no call runs: a function may end without waiting for its calls. Before `nested`, `keep` and `undo`. */
  idle(): Promise<void>;
  /** Starts a nested call. Exactly one of `keep` and `undo` follows before anything else of the parent runs. */
  nested(): { keep(): void; undo(): void };
  readonly records: Records;
  /**
   * Adds a document to a system table (`_scheduled_functions`), or replaces it. Not counted as a user's write.
   * `value` is the convex JSON object without `_id` and `_creationTime`.
   */
  readonly system: {
    insert(table: SystemTableName, valueText: string): Promise<string>;
    replace(id: string, valueText: string): Promise<void>;
    get(id: string): Promise<string | null>;
    delete(id: string): Promise<void>;
  };
  /** Types of events that commits of the branch write for changes of documents from now on, in place of those so far. */
  watchEvents(types: readonly string[]): Promise<void>;
  /** Puts an event into the commit; its id. */
  putEvent(event: Omit<EventRow, "id">): string;
  /** Counts a scheduled function against the limits; throws LimitExceeded. */
  countSchedule(argsBytes: number): void;
  metrics(): TransactionMetrics;
  /** What was read so far, as store key ranges: for the commit check, subscriptions and caches. */
  readRanges(): readonly KeyRange[];
  /** Waits for the calls that arrived, then commits, or says that it conflicts (then nothing was written). The transaction is over either way. */
  commit(): Promise<{ readonly kind: "committed"; readonly ts: Timestamp } | { readonly kind: "conflict"; readonly what: string }>;
  /** Ends the transaction without writing. Harmless when it is over. */
  release(): void;
}

export type SystemTableName = "_scheduled_functions" | "_storage";

export interface BeginOptions {
  readonly readonly: boolean;
  /** A retained moment; the latest when absent. Read-only transactions only. */
  readonly at?: Timestamp;
  /** Time that `_creationTime` of new documents starts from, in milliseconds. */
  readonly nowMs: number;
  /** Of the call (`engine/cause-depth.ts`): its events have it. */
  readonly causeDepth?: number;
}

/** What `schema.export()` returned, checked: `parseSchema` of `core/documents/schema.ts` makes it from hostile text. */
export interface SchemaPlan {
  readonly schemaText: string;
}

export interface Database {
  /** Commits whose changes of documents are events are refused with TooManyEventsWaiting where it says so. */
  readonly waitingEvents: WaitingEvents;
  begin(scope: Scope, options: BeginOptions): Promise<Transaction>;
  /**
   * Runs a platform transaction (records, system documents) and commits it; runs it again on conflict, with
   * short pauses. `body` must have no effect but on the transaction.
   */
  update<T>(scope: Scope, body: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** The schema that is enforced in the branch now, the same object while it is; null when there is none. */
  schema(scope: Scope): Promise<Schema | null>;
  /** Reads in one read-only transaction. */
  read<T>(scope: Scope, body: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * As `read`, for what many calls ask and hardly any commit changes: the result is kept until a commit writes into what was read,
   * and given to all who ask, who therefore must not change it. It depends on nothing but the scope, the data and `name`, which is
   * that of one read alone.
   */
  readKept<T>(scope: Scope, name: string, body: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Prepares a new schema while the old one serves: creates tables, backfills new indexes in bounded
   * transactions (writers keep them up to date meanwhile), checks existing documents. Rejects with
   * SchemaMismatch or InvalidPackage and then changes nothing that can be seen. `null` = no schema.
   * The result is passed to `activateSchema` inside the transaction that moves the branch head.
   */
  prepareSchema(scope: Scope, schemaText: string | null, progress?: (text: string) => void): Promise<PreparedSchema>;
  /**
   * Makes a prepared schema the one that is queried and enforced, and drops what it no longer declares. Throws SchemaMismatch
   * when a document that does not fit was written meanwhile, InvalidPackage when another schema was prepared or activated.
   */
  activateSchema(transaction: Transaction, prepared: PreparedSchema): Promise<void>;
  /** Gives a prepared schema up: writers no longer maintain its indexes. Harmless when it was activated or replaced. */
  discardSchema(scope: Scope, prepared: PreparedSchema): Promise<void>;
  /**
   * Gives the branch of `transaction`, which holds no data yet, the documents, indexes and schema of `base` as of `at` (the
   * transaction's own moment when absent), in time that does not depend on how much that is. Records and system tables are
   * not copied. What the copy needs of `base` is kept until the new branch is erased, also when `base` is erased before.
   * Errors: AlreadyExists when the branch holds data, SnapshotTooOld, LimitExceeded for a copy of a copy of … too deep.
   * Returns the moment.
   */
  createBranchFrom(transaction: Transaction, from: { readonly base: Scope; readonly at?: Timestamp }): Promise<Timestamp>;
  /**
   * Deletes everything of a tenant, all branches, in bounded commits; history keeps it until its retention ends.
   * Nothing may serve the tenant any more. Ends early when the database is closed; what is left is found again.
   */
  eraseTenant(tenant: string): Promise<void>;
  /**
   * Deletes everything that lies under a branch, as `eraseTenant` does, and lets go what it kept of its base; branches that were
   * made from it stay whole. False when the database was closed before the end. Platform records about the branch are their
   * owners' to delete.
   */
  eraseBranch(scope: Scope): Promise<boolean>;
  /** Latest committed timestamp. */
  latest(): Timestamp;
  /**
   * The store keys of a record table in `scope` (any scope for platform tables), to see commits into it with `Store.onCommit`. With a
   * `prefix` those of rows whose key begins with it: the first one is that of the row that has it for its key.
   */
  recordRange<T>(scope: Scope, table: RecordTable<T>, prefix?: readonly KeyPart[]): KeyRange;
  /** Ends the work in the background; nothing of the database runs when it resolves. Before the store is closed. */
  close(): Promise<void>;
}

/** Opaque outside the database, but for the names (`table.index`). */
export interface PreparedSchema {
  readonly kind: "preparedSchema";
  readonly indexesAdded: readonly string[];
  readonly indexesRemoved: readonly string[];
}

/** Makes a `Database` over a store; see `database.ts` for what it guarantees. */
import { assert } from "@plinth/core/assert.ts";
import { encodeKeyValues } from "@plinth/core/documents/keys.ts";
import type { Schema } from "@plinth/core/documents/schema.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { WaitingEvents, type WaitingEventsOptions } from "../events/waiting-events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KeyRange, Store, Timestamp } from "../store/store.ts";
import { createBranchFrom } from "./branch-base.ts";
import { Breather } from "./breather.ts";
import { CatalogueCache } from "./catalogue-cache.ts";
import { backoffMs } from "./conflict-backoff.ts";
import type { BeginOptions, Database, KeyPart, PreparedSchema, RecordTable, Scope, Transaction } from "./database.ts";
import { eraseRange } from "./erase.ts";
import { InternalIds } from "./internal-ids.ts";
import { KeptReads } from "./kept-reads.ts";
import { KeySpace, prefixRange, tenantRange } from "./key-space.ts";
import { PLATFORM_SCOPE } from "./record-tables.ts";
import { activateSchema, discard, prepareSchema, type Prepared, type SchemaHost, sweepDropped } from "./schema-changes.ts";
import { TransactionCatalogue } from "./transaction-catalogue.ts";
import { OpenTransaction } from "./transaction.ts";
import { View } from "./view.ts";

export interface DatabaseOptions {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly events?: Omit<WaitingEventsOptions, "store">;
}

export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return Promise.resolve(new StoreDatabase(options));
}

class StoreDatabase implements Database {
  readonly waitingEvents: WaitingEvents;
  readonly #store: Store;
  readonly #runtime: Runtime;
  readonly #ids: InternalIds;
  readonly #catalogues: CatalogueCache;
  readonly #kept: KeptReads;
  readonly #stopListening: () => void;
  readonly #platform = new KeySpace(PLATFORM_SCOPE);
  readonly #keySpaces = new Map<string, KeySpace>();
  /** The last preparation of each branch; the next one waits for it. */
  readonly #preparing = new Map<string, Promise<unknown>>();
  readonly #sweeps = new Map<string, Promise<void>>();
  readonly #erasing = new Set<Promise<unknown>>();
  readonly #schemaHost: SchemaHost;
  #closed = false;

  constructor({ store, runtime, events }: DatabaseOptions) {
    this.#store = store;
    this.waitingEvents = new WaitingEvents({ store, ...events });
    this.#catalogues = new CatalogueCache(store);
    this.#kept = new KeptReads(store.latest());
    this.#stopListening = store.onCommit((commit) => this.#kept.committed(commit));
    this.#runtime = runtime;
    this.#ids = new InternalIds(runtime);
    this.#schemaHost = {
      store,
      runtime,
      begin: (scope, options) => this.#begin(scope, { ...options, nowMs: runtime.nowMs() }),
      update: (scope, body) => this.#update(scope, body),
      sweep: (scope) => this.#sweep(scope),
    };
  }

  begin(scope: Scope, options: BeginOptions): Promise<Transaction> {
    return this.#begin(scope, options);
  }

  update<T>(scope: Scope, body: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#update(scope, body);
  }

  async read<T>(scope: Scope, body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = await this.#begin(scope, { readonly: true, nowMs: this.#runtime.nowMs() });
    try {
      return await body(transaction);
    } finally {
      transaction.release();
    }
  }

  readKept<T>(scope: Scope, name: string, body: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#kept.get(
      `${scopeName(scope)}\n${name}`,
      () => this.#store.latest(),
      () => this.read(scope, async (transaction) => ({ value: await body(transaction), ranges: transaction.readRanges() })),
    );
  }

  async schema(scope: Scope): Promise<Schema | null> {
    const keys = this.#keySpace(scope);
    const known = this.#catalogues.unchanged(keys, this.#store.latest());
    if (known !== undefined) return known.rules.schema;
    const snapshot = await this.#store.snapshot();
    try {
      return (await this.#catalogues.load({ get: (key) => snapshot.get(key), snapshot }, keys)).rules.schema;
    } finally {
      snapshot.release();
    }
  }

  async prepareSchema(scope: Scope, schemaText: string | null, progress?: (text: string) => void): Promise<PreparedSchema> {
    const name = scopeName(scope);
    const before = this.#preparing.get(name) ?? Promise.resolve();
    const run = before.then(() =>
      prepareSchema(this.#schemaHost, scope, progress === undefined ? { schemaText } : { schemaText, progress }),
    );
    const settled = run.then(
      () => {},
      () => {},
    );
    this.#preparing.set(name, settled);
    try {
      return await run;
    } finally {
      if (this.#preparing.get(name) === settled) this.#preparing.delete(name);
    }
  }

  activateSchema(transaction: Transaction, prepared: PreparedSchema): Promise<void> {
    assert(transaction instanceof OpenTransaction, "the transaction is one of this database");
    return activateSchema(this.#schemaHost, transaction, preparedBy(prepared));
  }

  async discardSchema(scope: Scope, prepared: PreparedSchema): Promise<void> {
    const { pendingId } = preparedBy(prepared);
    if (pendingId !== null) await discard(this.#schemaHost, scope, pendingId);
  }

  createBranchFrom(transaction: Transaction, from: { readonly base: Scope; readonly at?: Timestamp }): Promise<Timestamp> {
    assert(transaction instanceof OpenTransaction, "the transaction is one of this database");
    return createBranchFrom({ store: this.#store, ids: this.#ids, catalogues: this.#catalogues }, transaction, from);
  }

  async eraseTenant(tenant: string): Promise<void> {
    await this.#eraseTracked(tenant, tenantRange(tenant));
  }

  eraseBranch(scope: Scope): Promise<boolean> {
    return this.#eraseTracked(scope.tenant, this.#keySpace(scope).all());
  }

  async #eraseTracked(tenant: string, range: KeyRange): Promise<boolean> {
    assert(tenant !== PLATFORM_SCOPE.tenant, "the platform's own records are not a tenant's");
    const erasing = eraseRange(this.#store, range, () => this.#closed);
    this.#erasing.add(erasing);
    try {
      return await erasing;
    } finally {
      this.#erasing.delete(erasing);
    }
  }

  latest(): Timestamp {
    return this.#store.latest();
  }

  recordRange<T>(scope: Scope, table: RecordTable<T>, prefix: readonly KeyPart[] = []): KeyRange {
    const keys = table.placement === "platform" ? this.#platform : this.#keySpace(scope);
    return prefixRange(keys.record(table.space, encodeKeyValues(prefix)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    await Promise.all(this.#preparing.values());
    await Promise.all(this.#sweeps.values());
    await Promise.allSettled(this.#erasing);
  }

  async #begin(scope: Scope, options: BeginOptions): Promise<OpenTransaction> {
    assert(options.readonly || options.at === undefined, "a transaction that writes reads the latest state");
    const branch = this.#keySpace(scope);
    const snapshot = await this.#store.snapshot(options.at);
    const view = new View({ snapshot, breather: new Breather(this.#runtime), readonly: options.readonly });
    const catalogue = new TransactionCatalogue({ store: this.#store, view, keys: branch, cache: this.#catalogues, ids: this.#ids });
    const { nowMs, causeDepth } = options;
    return new OpenTransaction({
      store: this.#store,
      view,
      keys: { branch, platform: this.#platform },
      catalogue,
      ids: this.#ids,
      readonly: options.readonly,
      nowMs,
      waitingEvents: this.waitingEvents,
      ...(causeDepth === undefined ? {} : { causeDepth }),
    });
  }

  async #update<T>(scope: Scope, body: (transaction: OpenTransaction) => Promise<T>): Promise<T> {
    const attempts = limit("platformConflictAttemptsMax");
    let what = "";
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const transaction = await this.#begin(scope, { readonly: false, nowMs: this.#runtime.nowMs() });
      try {
        const value = await body(transaction);
        const outcome = await transaction.commit();
        if (outcome.kind === "committed") return value;
        what = outcome.what;
      } finally {
        transaction.release();
      }
      await this.#runtime.sleep(backoffMs(this.#runtime, attempt));
    }
    throw plinthError("OptimisticConcurrencyControlFailure", { path: `a change of ${what}`, attempts });
  }

  #keySpace(scope: Scope): KeySpace {
    const name = scopeName(scope);
    const known = this.#keySpaces.get(name);
    if (known !== undefined) return known;
    const keys = new KeySpace({ tenant: scope.tenant, branch: scope.branch });
    if (this.#keySpaces.size >= limit("cataloguesCachedMax")) this.#keySpaces.clear();
    this.#keySpaces.set(name, keys);
    return keys;
  }

  /** Removes what was dropped, in the background; one sweep of a branch at a time. */
  #sweep(scope: Scope): void {
    const name = scopeName(scope);
    if (this.#closed) return;
    const sweep = (this.#sweeps.get(name) ?? Promise.resolve())
      .then(() => sweepDropped(this.#schemaHost, scope, () => this.#closed))
      // What is left takes space and nothing else; the next schema change tries again.
      .catch(() => {})
      .finally(() => {
        if (this.#sweeps.get(name) === sweep) this.#sweeps.delete(name);
      });
    this.#sweeps.set(name, sweep);
  }
}

function scopeName(scope: Scope): string {
  return `${scope.tenant.length}:${scope.tenant}${scope.branch}`;
}

function preparedBy(prepared: PreparedSchema): Prepared {
  assert("pendingId" in prepared && "schemaText" in prepared, "the schema was prepared by this database");
  return prepared as Prepared;
}

/** The indexes that are kept (Q3), and what commits mean for them. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import { bucketLength, documentTableOf, internalIdOf, KeySpace } from "../database/key-space.ts";
import { SerialQueue } from "../engine/serial-queue.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Commit } from "../store/store.ts";
import { KeptIndex } from "./kept-index.ts";
import type { TableReader } from "./read-tables.ts";

export interface IndexedTable {
  readonly table: string;
  readonly tableNumber: number;
  readonly vectorField: string;
}

export class KeptIndexes {
  readonly #reader: TableReader;
  readonly #runtime: Runtime;
  readonly #byName = new Map<string, KeptIndex>();
  /** By the part of the key that all documents of a table share. */
  readonly #byBucket = new Map<string, Set<KeptIndex>>();
  readonly #making = new Map<string, SerialQueue>();

  constructor(options: { readonly reader: TableReader; readonly runtime: Runtime }) {
    this.#reader = options.reader;
    this.#runtime = options.runtime;
  }

  status(): { readonly indexes: number; readonly bytes: number } {
    return { indexes: this.#byName.size, bytes: bytesOf(this.#byName.values()) };
  }

  /** Called for each commit, in order. */
  committed({ ts, writes }: Commit): void {
    if (this.#byName.size === 0) return;
    for (const { key } of writes) {
      if (documentTableOf(key) === undefined) continue;
      const indexes = this.#byBucket.get(Buffer.from(key.subarray(0, bucketLength(key))).toString("latin1"));
      if (indexes !== undefined) for (const index of indexes) index.changed(internalIdOf(key), ts);
    }
  }

  of(scope: Scope, indexed: IndexedTable): KeptIndex {
    const name = JSON.stringify([scope.tenant, scope.branch, indexed.tableNumber, indexed.vectorField]);
    const index = this.#byName.get(name) ?? this.#add(name, scope, indexed);
    // In the order of last use.
    this.#byName.delete(name);
    this.#byName.set(name, index);
    return index;
  }

  forget(scope: Scope): void {
    for (const [name, { options }] of this.#byName)
      if (options.scope.tenant === scope.tenant && options.scope.branch === scope.branch) this.#drop(name);
  }

  clear(): void {
    for (const index of this.#byName.values()) index.end();
    this.#byName.clear();
    this.#byBucket.clear();
    this.#making.clear();
  }

  #add(name: string, scope: Scope, indexed: IndexedTable): KeptIndex {
    const { tenant } = scope;
    const making = this.#making.get(tenant) ?? new SerialQueue();
    this.#making.set(tenant, making);
    const index: KeptIndex = new KeptIndex({
      ...indexed,
      scope,
      reader: this.#reader,
      runtime: this.#runtime,
      making,
      grown: () => this.#makeRoom(index),
    });
    const bucket = bucketOf(scope, indexed.tableNumber);
    this.#byName.set(name, index);
    this.#byBucket.set(bucket, (this.#byBucket.get(bucket) ?? new Set()).add(index));
    try {
      this.#makeRoom(index);
    } catch (error) {
      this.#drop(name);
      throw error;
    }
    return index;
  }

  /** Lets go of those that were unused for longest: the tenant's own for its bound, any for the host's. Throws when that is not enough. */
  #makeRoom(kept: KeptIndex): void {
    const { tenant } = kept.options.scope;
    const own = () => [...this.#byName].filter(([, { options }]) => options.scope.tenant === tenant);
    this.#dropUntil(own, kept, {
      what: "Memory of all search indexes of the tenant",
      max: limit("searchTenantBytesMax"),
      countMax: limit("searchTenantIndexesMax"),
    });
    this.#dropUntil(() => [...this.#byName], kept, {
      what: "Memory of all search indexes",
      max: limit("searchIndexesBytesMax"),
      countMax: limit("searchIndexesMax"),
    });
  }

  #dropUntil(
    listed: () => readonly (readonly [string, KeptIndex])[],
    kept: KeptIndex,
    { what, max, countMax }: { readonly what: string; readonly max: number; readonly countMax: number },
  ): void {
    const entries = [...listed()];
    let bytes = bytesOf(entries.map(([, index]) => index));
    let count = entries.length;
    for (const [name, index] of entries) {
      if (bytes <= max && count <= countMax) return;
      if (index === kept || index.isBusy) continue;
      bytes -= index.bytes;
      count -= 1;
      this.#drop(name);
    }
    if (bytes > max) throw plinthError("LimitExceeded", { what, actual: bytes, max });
  }

  #drop(name: string): void {
    const index = this.#byName.get(name);
    if (index === undefined) return;
    index.end();
    this.#byName.delete(name);
    const { scope, tableNumber } = index.options;
    const bucket = bucketOf(scope, tableNumber);
    const indexes = this.#byBucket.get(bucket);
    indexes?.delete(index);
    if (indexes?.size === 0) this.#byBucket.delete(bucket);
    if (![...this.#byName.values()].some(({ options }) => options.scope.tenant === scope.tenant)) this.#making.delete(scope.tenant);
  }
}

function bucketOf(scope: Scope, tableNumber: number): string {
  const { start } = new KeySpace(scope).documents(tableNumber);
  return Buffer.from(start.subarray(0, bucketLength(start))).toString("latin1");
}

function bytesOf(indexes: Iterable<KeptIndex>): number {
  let sum = 0;
  for (const { bytes } of indexes) sum += bytes;
  return sum;
}

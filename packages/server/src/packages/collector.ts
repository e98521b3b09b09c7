/**
 * Deletes versions that nothing refers to (K3), and blobs that no version refers to.
 *
 * Q1 A version is kept while a head stands at it, while one of the last moves of a head went to it, while something works with
 *    it, and for a while after it was made.
 * Q2 A blob is kept while a row of any branch refers to it, while history may be read in which one does, and while it is young:
 *    the transaction that refers to it may be about to commit.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { markDropped } from "../blobs/dropped-blobs.ts";
import type { Database, Records, RecordTable, Scope, Transaction } from "../database/database.ts";
import { DROPPED_BLOBS, PACKAGE_VERSIONS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { ledgerRows, packageNames, versionRows } from "./head-moves.ts";
import type { PackageVersionRow } from "./package-records.ts";
import type { Packages } from "./packages.ts";
import type { VersionFolders } from "./version-folders.ts";

/** Blobs that rows of one kind refer to. To add a kind: a function of this form, in the options of the collector. */
export type BlobReferences = (records: Records) => Promise<readonly string[]>;

export interface CollectorOptions {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly folders: VersionFolders;
  readonly runtime: Runtime;
  readonly log: Log;
  /** All branches of a tenant, `main` included; none for a tenant that is unknown: then nothing of it is deleted. */
  readonly branchesOf: (tenant: string) => Promise<readonly string[]>;
  /**
   * Digests of versions of a package that something refers to. It reads in the transaction that deletes the others, so that
   * nothing begins to refer to one meanwhile.
   */
  readonly versionsInUse: (transaction: Pick<Transaction, "records" | "scope">, packageName: string) => Promise<ReadonlySet<string>>;
  readonly references: readonly BlobReferences[];
  /** How long replaced rows stay readable. */
  readonly historyRetentionMs: number;
}

interface Swept {
  readonly tenant: string;
  readonly versions: number;
  readonly blobs: number;
  readonly archives: readonly string[];
}

export class Collector {
  readonly #options: CollectorOptions;
  #work: ReturnType<Packages["collect"]> | undefined;
  #timer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.runtime.timer(limit("blobCollectIntervalMs"), () => {
      this.collect().catch((error: unknown) => this.#options.log.error({ err: error }, "unused versions could not be collected"));
      if (!this.#stopped) this.start();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#work?.catch(() => undefined);
  }

  /** Callers that come together share one collection. */
  collect(): ReturnType<Packages["collect"]> {
    this.#work ??= this.#collectAll().finally(() => (this.#work = undefined));
    return this.#work;
  }

  async #collectAll(): Promise<{ readonly versions: number; readonly blobs: number }> {
    const { blobs, folders } = this.#options;
    // Names with a slash are spaces of others, with a retention of their own.
    const tenants = (await blobs.tenants()).filter((tenant) => !tenant.includes("/"));
    const kept: { readonly tenant: string; readonly digest: string }[] = [];
    let [versions, deleted] = [0, 0];
    for (const tenant of tenants) {
      if (this.#stopped) return { versions, blobs: deleted };
      const swept = await this.#collectTenant(tenant);
      versions += swept.versions;
      deleted += swept.blobs;
      kept.push(...swept.archives.map((digest) => ({ tenant, digest })));
    }
    await folders.keepOnly(kept);
    return { versions, blobs: deleted };
  }

  async #collectTenant(tenant: string): Promise<Swept> {
    const { blobs, branchesOf, runtime } = this.#options;
    // Before the rows are read: what is put later is younger than this.
    const putBeforeMs = runtime.nowMs() - limit("blobGraceMs");
    const branches = await branchesOf(tenant);
    const referenced = new Set<string>();
    let versions = 0;
    for (const branch of branches) {
      versions += await this.#dropVersions({ tenant, branch });
      for (const digest of await this.#referencesOf({ tenant, branch })) referenced.add(digest);
      // Calls go before this.
      await runtime.sleep(0);
    }
    let deleted = 0;
    for await (const { digest, putMs } of blobs.list(tenant)) {
      if (branches.length === 0 || referenced.has(digest) || putMs >= putBeforeMs) continue;
      await blobs.delete(tenant, digest, { putBeforeMs });
      deleted++;
    }
    return { tenant, versions, blobs: deleted, archives: [...referenced] };
  }

  /** Q1 */
  async #dropVersions(scope: Scope): Promise<number> {
    const { database, runtime, versionsInUse } = this.#options;
    const names = await database.read(scope, ({ records }) => packageNames(records));
    let dropped = 0;
    for (const name of names) {
      dropped += await database.update(scope, async (transaction) => {
        const { records } = transaction;
        const inUse = await versionsInUse(transaction, name);
        const unused = await unusedVersions(records, { name, inUse, nowMs: runtime.nowMs() });
        for (const row of unused) dropVersion(records, { name, row, nowMs: runtime.nowMs() });
        return unused.length;
      });
    }
    return dropped;
  }

  /** Q2 */
  async #referencesOf(scope: Scope): Promise<readonly string[]> {
    const { database, references, runtime, historyRetentionMs } = this.#options;
    const keptSinceMs = runtime.nowMs() - historyRetentionMs - limit("blobGraceMs");
    const { found, forgotten } = await database.read(scope, async ({ records }) => {
      const rows = await allRows(records, DROPPED_BLOBS);
      const recent = rows.filter(({ value }) => value.droppedMs >= keptSinceMs).map(({ key }) => String(key[0]));
      const own = await Promise.all([packageBlobs, ...references].map((read) => read(records)));
      return {
        found: [...recent, ...own.flat()],
        forgotten: rows.filter(({ value }) => value.droppedMs < keptSinceMs).map(({ key }) => key),
      };
    });
    if (forgotten.length > 0)
      await database.update(scope, async ({ records }) => {
        for (const key of forgotten) records.delete(DROPPED_BLOBS, key);
      });
    return found;
  }
}

/** Deletes a version's row and remembers for how long its blobs are wanted. */
function dropVersion(
  records: Records,
  { name, row, nowMs }: { readonly name: string; readonly row: PackageVersionRow; readonly nowMs: number },
): void {
  records.delete(PACKAGE_VERSIONS, [name, row.digest]);
  markDropped(records, blobsOf(row), nowMs);
}

async function unusedVersions(
  records: Records,
  { name, inUse, nowMs }: { readonly name: string; readonly inUse: ReadonlySet<string>; readonly nowMs: number },
): Promise<readonly PackageVersionRow[]> {
  const moves = await ledgerRows(records, name, limit("ledgerVersionsKeptMax"));
  const kept = new Set([...inUse, ...moves.map(({ version }) => version)]);
  const youngMs = nowMs - limit("unusedVersionKeptMs");
  // A head stands where its last move went.
  return (await versionRows(records, name)).filter(({ digest, createdMs }) => !kept.has(digest) && createdMs < youngMs);
}

async function packageBlobs(records: Records): Promise<readonly string[]> {
  return (await allRows(records, PACKAGE_VERSIONS)).flatMap(({ value }) => blobsOf(value));
}

async function allRows<T>(records: Records, table: RecordTable<T>) {
  const page = limit("packageVersionsMax");
  const rows = await records.range(table, { prefix: [], limit: page });
  for (let last = rows; last.length === page; rows.push(...last)) {
    const after = last.at(-1)?.key;
    last = await records.range(table, { prefix: [], limit: page, ...(after === undefined ? {} : { after }) });
  }
  return rows;
}

function blobsOf(row: PackageVersionRow): readonly string[] {
  return [row.digest, row.manifestBlob, row.filesBlob];
}

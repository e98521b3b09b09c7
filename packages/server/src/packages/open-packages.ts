/**
 * Makes `Packages`. An upload is stored as it comes, then unpacked in a thread, read and analysed in jails, warmed, and only then
 * does the head move. Uploads of one package and branch take turns from the point at which the archive is stored.
 */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { readFile } from "node:fs/promises";
import type { Blobs } from "../blobs/blobs.ts";
import type { Database, Scope } from "../database/database.ts";
import { PACKAGE_VERSIONS } from "../database/record-tables.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import { Turns } from "../deploys/turns.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { checkCandidate, type Candidate } from "./check-candidate.ts";
import { HandlerCache } from "./handler-cache.ts";
import { handlerOf, splitPath, versionCodeOf } from "./handlers.ts";
import {
  checkPackageName,
  checkRoomForVersion,
  findVersion,
  heads,
  isPackageName,
  ledgerRows,
  moveHead,
  versionBefore,
  versionRows,
  wantVersion,
  type HeadMove,
} from "./head-moves.ts";
import { OpenUploads } from "./open-uploads.ts";
import { diffVersions } from "./package-diff.ts";
import type { PackageVersionRow } from "./package-records.ts";
import type {
  PackageDiff,
  PackageLedgerEntry,
  Packages,
  PackageSummary,
  StoredPackageVersion,
  UploadRequest,
  UploadResult,
} from "./packages.ts";
import { Stopwatch } from "../runtime/stopwatch.ts";
import type { VersionFolders } from "./version-folders.ts";
import { VersionStore } from "./version-store.ts";

export interface PackagesOptions {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly folders: VersionFolders;
  readonly sandbox: Pick<Sandbox, "analyze" | "warm">;
  readonly tools: JailTools;
  readonly runtime: Runtime;
  /** Deletes what nothing refers to; see `collector.ts`. */
  readonly collect: Packages["collect"];
  /** Hears of every head that moved. */
  readonly onMoved?: (scope: Scope) => void;
}

export function openPackages(options: PackagesOptions): Packages {
  return new StoredPackages(options);
}

class StoredPackages implements Packages {
  readonly #options: PackagesOptions;
  readonly #versions: VersionStore;
  readonly #handlers = new HandlerCache();
  readonly #turns = new Turns();
  readonly #uploads = new OpenUploads();

  constructor(options: PackagesOptions) {
    this.#options = options;
    this.#versions = new VersionStore(options.blobs);
  }

  async upload(scope: Scope, request: UploadRequest): Promise<UploadResult> {
    checkPackageName(request.name);
    const watch = new Stopwatch(this.#options.runtime);
    const end = this.#uploads.begin(scope.tenant);
    try {
      request.progress?.("Receiving the archive");
      const archive = await watch.measure("uploadMs", () => this.#storeArchive(scope, request));
      return await this.#inTurn(scope, request.name, () => this.#uploadNow(scope, request, { ...archive, watch }));
    } finally {
      end();
    }
  }

  async list(scope: Scope): Promise<readonly PackageSummary[]> {
    const all = await this.#options.database.read(scope, ({ records }) => heads(records));
    return all.map(({ name, head }) => ({ name, ...head }));
  }

  async ledger(scope: Scope, name: string): Promise<readonly PackageLedgerEntry[]> {
    checkPackageName(name);
    return await this.#options.database.read(scope, async ({ records }) => {
      const stored = new Set((await versionRows(records, name)).map(({ digest }) => digest));
      const rows = await ledgerRows(records, name, limit("ledgerEntriesShownMax"));
      return rows.map((row) => ({ ...row, stored: stored.has(row.version) }));
    });
  }

  async version(scope: Scope, name: string, version?: string): Promise<StoredPackageVersion | undefined> {
    checkPackageName(name);
    const row = await this.#version(scope, name, version);
    if (row === undefined) return undefined;
    const { manifest } = await this.#versions.load(scope.tenant, row);
    return { package: name, version: row.digest, runtime: row.runtime, manifest, functions: row.functions, createdMs: row.createdMs };
  }

  async promote(scope: Scope, request: Parameters<Packages["promote"]>[1]): Promise<PackageLedgerEntry> {
    const { name, version, fromBranch } = request;
    checkPackageName(name);
    const from = fromBranch === undefined ? scope : { tenant: scope.tenant, branch: fromBranch };
    return await this.#inTurn(scope, name, async () => {
      const row = await this.#options.database.read(from, ({ records }) => wantVersion(records, name, version));
      return await this.#serve(scope, { ...request, row, cause: "promote" });
    });
  }

  async rollback(scope: Scope, request: Parameters<Packages["rollback"]>[1]): Promise<PackageLedgerEntry> {
    const { name, version } = request;
    checkPackageName(name);
    return await this.#inTurn(scope, name, async () => {
      const row = await this.#options.database.read(scope, async ({ records }) =>
        wantVersion(records, name, version ?? (await versionBefore(records, name))),
      );
      return await this.#serve(scope, { ...request, row, cause: "rollback" });
    });
  }

  async diff(scope: Scope, request: Parameters<Packages["diff"]>[1]): Promise<PackageDiff> {
    const { name } = request;
    checkPackageName(name);
    const rows = await this.#options.database.read(scope, ({ records }) =>
      Promise.all([request.from, request.to].map((version) => wantVersion(records, name, version))),
    );
    const [from, to] = await Promise.all(rows.map((row) => this.#versions.contents(scope.tenant, row)));
    return diffVersions(must(from, "there are two versions"), must(to, "there are two versions"));
  }

  async resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined> {
    const target = splitPath(path);
    if (target === undefined || !isPackageName(target.name)) return undefined;
    const load = async () => await this.#resolveNow(scope, target, version);
    return version === undefined ? await this.#handlers.get(scope, path, load) : await load();
  }

  forgetBranch(scope: Scope): void {
    this.#handlers.forget(scope);
  }

  collect(): ReturnType<Packages["collect"]> {
    return this.#options.collect();
  }

  async #resolveNow(
    scope: Scope,
    target: { readonly name: string; readonly function: string },
    version: string | undefined,
  ): Promise<ResolvedFunction | undefined> {
    const row = await this.#version(scope, target.name, version);
    if (row === undefined || !row.functions.includes(target.function)) return undefined;
    const loaded = await this.#versions.load(scope.tenant, row);
    return handlerOf(target, loaded, versionCodeOf(this.#options.folders, scope.tenant, loaded));
  }

  #version(scope: Scope, name: string, version: string | undefined): Promise<PackageVersionRow | undefined> {
    return this.#options.database.readKept(scope, `version of a package\n${name}\n${version ?? ""}`, ({ records }) =>
      findVersion(records, name, version),
    );
  }

  async #storeArchive(scope: Scope, request: UploadRequest): Promise<{ readonly digest: string; readonly archiveBytes: number }> {
    const bytesMax = limit("archiveBytesMax");
    const { digest, bytes } = await this.#options.blobs.put(scope.tenant, bounded(request.archive, bytesMax), { bytesMax });
    return { digest, archiveBytes: bytes };
  }

  async #uploadNow(
    scope: Scope,
    request: UploadRequest,
    given: { readonly digest: string; readonly archiveBytes: number; readonly watch: Stopwatch },
  ): Promise<UploadResult> {
    const { digest, archiveBytes, watch } = given;
    const { name, progress } = request;
    const { folders, database } = this.#options;
    progress?.("Unpacking the archive");
    const folder = await watch.measure("unpackMs", () => folders.use(scope.tenant, digest));
    try {
      const candidate = await checkCandidate(this.#options, { scope, digest, archiveBytes, folder, watch, progress });
      const promote = request.promote !== false;
      let changed = (await database.read(scope, ({ records }) => findVersion(records, name)))?.digest !== digest;
      if (request.dryRun !== true) {
        const row = await watch.measure("storeMs", () => this.#storeVersion(scope, candidate, folder.fileListPath));
        if (promote) {
          progress?.("Warming the new version");
          changed = await this.#promoteUpload(scope, { request, row, watch });
          progress?.("The new version serves");
        } else await this.#keepUnpromoted(scope, name, row);
      }
      return {
        package: name,
        version: digest,
        runtime: candidate.row.runtime,
        changed,
        functions: candidate.row.functions,
        findings: candidate.findings,
        archiveBytes,
        files: folder.files,
        timings: watch.timings,
      };
    } finally {
      folder.release();
    }
  }

  /** The blobs are there before the transaction that refers to them. */
  async #storeVersion(scope: Scope, candidate: Candidate, fileListPath: string): Promise<PackageVersionRow> {
    const { manifest, manifestText, row } = candidate;
    const [manifestBlob, filesBlob] = await Promise.all([
      this.#versions.putManifest(scope.tenant, { manifest, text: manifestText }),
      readFile(fileListPath).then((bytes) => this.#versions.put(scope.tenant, bytes)),
    ]);
    return { ...row, manifestBlob, filesBlob };
  }

  async #promoteUpload(
    scope: Scope,
    { request, row, watch }: { readonly request: UploadRequest; readonly row: PackageVersionRow; readonly watch: Stopwatch },
  ): Promise<boolean> {
    const { name, by, note } = request;
    await watch.measure("warmMs", () => this.#warm(scope, row));
    const { changed } = await watch.measure("commitMs", () => this.#move(scope, { name, row, by, note, cause: "upload" }));
    return changed;
  }

  async #keepUnpromoted(scope: Scope, name: string, row: PackageVersionRow): Promise<void> {
    await this.#options.database.update(scope, async ({ records }) => {
      if ((await records.get(PACKAGE_VERSIONS, [name, row.digest])) === undefined) await checkRoomForVersion(records, name);
      records.put(PACKAGE_VERSIONS, [name, row.digest], row);
    });
  }

  /** Warms a stored version and moves the head to it; the old one serves until then. */
  async #serve(
    scope: Scope,
    { name, row, by, note, cause }: Omit<HeadMove, "atMs"> & { readonly note?: string | undefined },
  ): Promise<PackageLedgerEntry> {
    await this.#warm(scope, row);
    return { ...(await this.#move(scope, { name, row, by, note, cause })).entry, stored: true };
  }

  async #warm(scope: Scope, row: PackageVersionRow): Promise<void> {
    const loaded = await this.#versions.load(scope.tenant, row);
    await this.#options.sandbox.warm({ ...scope, version: versionCodeOf(this.#options.folders, scope.tenant, loaded) });
  }

  async #move(scope: Scope, move: Omit<HeadMove, "atMs">) {
    const { database, runtime, onMoved } = this.#options;
    const atMs = runtime.nowMs();
    const moved = await database.update(scope, ({ records }) => moveHead(records, { ...move, atMs }));
    this.#handlers.forget(scope);
    onMoved?.(scope);
    return moved;
  }

  #inTurn<T>(scope: Scope, name: string, body: () => Promise<T>): Promise<T> {
    return this.#turns.take(`${scope.tenant}/${scope.branch}/${name}`, body);
  }
}

/** Says of an archive that is too large what the limit is for. */
async function* bounded(source: AsyncIterable<Uint8Array>, bytesMax: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw plinthError("RequestTooLarge", { what: "archive", actual: `more than ${bytesMax} bytes`, max: `${bytesMax} bytes` });
    yield chunk;
  }
}

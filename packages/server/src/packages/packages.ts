/**
 * Packages of handlers: uploaded archives become immutable versions; each branch has a head per package. This file is the
 * contract; `open-packages.ts` makes one.
 *
 * A function of a package is called as `@<package>/<function>`.
 *
 * K1 A version is named by the digest of its archive and never changes.
 * K2 Head and ledger change in one transaction, after the version was unpacked, checked and analysed in a jail. Whatever fails
 *    before leaves the branch as it was.
 * K3 A version that a head, a kept ledger entry, an active snap-in or running work refers to is there; others are collected.
 */
import type { Manifest, ManifestFinding } from "@plinth/core/manifest/manifest.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";

export interface UploadRequest {
  /** 1 to 63 lower-case letters, digits, `-` and `_`; begins with a letter. */
  readonly name: string;
  /** tar, plain or gzip or zstd. Hostile. */
  readonly archive: AsyncIterable<Uint8Array>;
  readonly note?: string;
  /** Id of the key that uploads, or `admin`. */
  readonly by: string;
  /** Check everything and change nothing. */
  readonly dryRun?: boolean;
  /** Moves the head of the branch to the version; true unless said otherwise. */
  readonly promote?: boolean;
  readonly progress?: (text: string) => void;
}

export interface UploadResult {
  readonly package: string;
  /** sha-256 of the archive in hexadecimal. */
  readonly version: string;
  readonly runtime: RuntimeName;
  /** False when the head stood there already. */
  readonly changed: boolean;
  readonly functions: readonly string[];
  /** Warnings only: errors reject with InvalidPackage, which lists them. */
  readonly findings: readonly ManifestFinding[];
  readonly archiveBytes: number;
  readonly files: number;
  readonly timings: Readonly<Record<string, number>>;
}

export interface PackageSummary {
  readonly name: string;
  readonly version: string;
  readonly seq: number;
  readonly deployedMs: number;
  readonly runtime: RuntimeName;
}

/** One line of the ledger. Lines are never changed. */
export interface PackageLedgerEntry {
  readonly seq: number;
  readonly version: string;
  readonly parent: string | null;
  readonly atMs: number;
  readonly by: string;
  readonly note: string | null;
  /** What moved the head. */
  readonly cause: "upload" | "promote" | "rollback";
  /** Whether the version can still be promoted; false once it was collected. */
  readonly stored: boolean;
}

/** What differs between two versions. Paths are those of the archive. */
export interface PackageDiff {
  readonly from: string;
  readonly to: string;
  readonly filesAdded: readonly string[];
  readonly filesRemoved: readonly string[];
  readonly filesChanged: readonly string[];
  readonly functionsAdded: readonly string[];
  readonly functionsRemoved: readonly string[];
  /** Unified diff of manifest.yaml; empty when it is the same. */
  readonly manifest: string;
}

export interface StoredPackageVersion {
  readonly package: string;
  readonly version: string;
  readonly runtime: RuntimeName;
  readonly manifest: Manifest;
  readonly functions: readonly string[];
  readonly createdMs: number;
}

export interface Packages {
  /** Uploads of one package and branch happen one after the other. Rejects with InvalidPackage and then changes nothing. */
  upload(scope: Scope, request: UploadRequest): Promise<UploadResult>;
  list(scope: Scope): Promise<readonly PackageSummary[]>;
  ledger(scope: Scope, name: string): Promise<readonly PackageLedgerEntry[]>;
  /** The version at the head, or a given one (also by the first 8 or more digits of its digest). */
  version(scope: Scope, name: string, version?: string): Promise<StoredPackageVersion | undefined>;
  /** Moves the head to a stored version, for example one that another branch tested. Rejects with VersionCollected when it is gone. */
  promote(
    scope: Scope,
    request: {
      readonly name: string;
      readonly version: string;
      readonly fromBranch?: string;
      readonly by: string;
      readonly note?: string;
    },
  ): Promise<PackageLedgerEntry>;
  /** Moves the head to the version before, or to a given one of the ledger. */
  rollback(
    scope: Scope,
    request: { readonly name: string; readonly version?: string; readonly by: string; readonly note?: string },
  ): Promise<PackageLedgerEntry>;
  diff(scope: Scope, request: { readonly name: string; readonly from: string; readonly to: string }): Promise<PackageDiff>;
  /** The function `@<package>/<function>` at the branch head, or of a given version. */
  resolve(scope: Scope, path: string, version?: string): Promise<ResolvedFunction | undefined>;
  /** Drops what is remembered of a branch, after its rows were changed by others (copied, erased). */
  forgetBranch(scope: Scope): void;
  /** Deletes what nothing refers to (K3). Runs by itself too. */
  collect(): Promise<{ readonly versions: number; readonly blobs: number }>;
}

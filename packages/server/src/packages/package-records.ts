/** Rows of packages: heads, the ledger, versions, and blobs that were let go of; and the strict readers of stored rows. */
import { assert } from "@plinth/core/assert.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";

/** What a branch serves of a package. Key: name. */
export interface PackageHead {
  readonly version: string;
  /** Number of the last entry of the ledger. */
  readonly seq: number;
  readonly deployedMs: number;
  readonly runtime: RuntimeName;
}

/** One move of a head. Key: name, seq. Rows are never changed. */
export interface PackageLedgerRow {
  readonly seq: number;
  readonly version: string;
  readonly parent: string | null;
  readonly atMs: number;
  readonly by: string;
  readonly note: string | null;
  readonly cause: "upload" | "promote" | "rollback";
}

/** A version as a branch knows it. Key: name, digest. */
export interface PackageVersionRow {
  /** Of the archive, which is a blob of that name. */
  readonly digest: string;
  readonly createdMs: number;
  readonly runtime: RuntimeName;
  /** Folder of the archive that holds the manifest; empty for the top. */
  readonly root: string;
  readonly functions: readonly string[];
  /** Blob of `ManifestBlob`. */
  readonly manifestBlob: string;
  /** Blob of the list of files. */
  readonly filesBlob: string;
  readonly archiveBytes: number;
  readonly files: number;
}

/** A blob that no row refers to any more, but rows of retained moments do. Key: digest. */
export interface DroppedBlob {
  readonly droppedMs: number;
}

const RUNTIMES: readonly RuntimeName[] = ["node", "python", "wasm"];
const DIGEST = /^[0-9a-f]{64}$/;

export function parsePackageHead(json: unknown): PackageHead {
  const row = json as PackageHead;
  assert(
    DIGEST.test(row.version) && Number.isInteger(row.seq) && RUNTIMES.includes(row.runtime),
    "a stored head of a package has its fields",
  );
  return row;
}

export function parsePackageLedgerRow(json: unknown): PackageLedgerRow {
  const row = json as PackageLedgerRow;
  assert(DIGEST.test(row.version) && Number.isInteger(row.seq) && typeof row.by === "string", "a stored ledger entry has its fields");
  return row;
}

export function parsePackageVersionRow(json: unknown): PackageVersionRow {
  const row = json as PackageVersionRow;
  assert(
    [row.digest, row.manifestBlob, row.filesBlob].every((digest) => DIGEST.test(digest)) &&
      RUNTIMES.includes(row.runtime) &&
      typeof row.root === "string" &&
      Array.isArray(row.functions),
    "a stored version of a package has its fields",
  );
  return row;
}

export function parseDroppedBlob(json: unknown): DroppedBlob {
  const row = json as DroppedBlob;
  assert(typeof row.droppedMs === "number", "a stored mark of a blob has its fields");
  return row;
}

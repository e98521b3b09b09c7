/** Rows of versions, heads and environment variables, and the strict readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";

/** What a branch serves. One row per branch. */
export interface Head {
  readonly version: string;
  /** Number of the deploy that moved the head here; grows by one with each. */
  readonly seq: number;
  readonly deployedMs: number;
}

/** One move of the head. Rows are never changed. */
export interface LedgerEntry {
  readonly seq: number;
  readonly version: string;
  /** The version that the head stood at before. */
  readonly parent: string | null;
  readonly atMs: number;
  /** Id of the key that deployed, or `admin`. */
  readonly by: string;
  readonly note: string | null;
}

export type ArtefactKind = "script" | "sourceMap" | "analysis";
export const ARTEFACT_KINDS: readonly ArtefactKind[] = ["script", "sourceMap", "analysis"];

/** A version: the blob of each of its artefacts, or null when it has none. */
export interface StoredVersion {
  readonly digest: string;
  readonly createdMs: number;
  readonly blobs: Readonly<Record<ArtefactKind, string | null>>;
}

export function parseHead(json: unknown): Head {
  const row = json as Head;
  assert(isDigest(row.version) && Number.isInteger(row.seq) && typeof row.deployedMs === "number", "a stored head has its fields");
  return row;
}

export function parseLedgerEntry(json: unknown): LedgerEntry {
  const row = json as LedgerEntry;
  assert(isDigest(row.version) && Number.isInteger(row.seq) && typeof row.by === "string", "a stored ledger entry has its fields");
  return row;
}

export function parseStoredVersion(json: unknown): StoredVersion {
  const row = json as StoredVersion;
  assert(
    isDigest(row.digest) && ARTEFACT_KINDS.every((kind) => row.blobs[kind] === null || isDigest(row.blobs[kind])),
    "a stored version has its fields",
  );
  return row;
}

export function parseVariable(json: unknown): string {
  assert(typeof json === "string", "a stored variable is text");
  return json;
}

function isDigest(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

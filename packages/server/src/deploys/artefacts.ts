/**
 * Scripts, source maps and analyses of versions as platform records: compressed, in pieces, named by the digest of
 * the script. They are read when a runner or a stack trace needs them and never kept in memory.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { assert, must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "../database/database.ts";
import { ARTEFACT_CHUNKS, VERSIONS } from "../database/record-tables.ts";
import { ARTEFACT_KINDS, type ArtefactKind, type StoredVersion } from "./version-records.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export type Artefacts = Readonly<Record<ArtefactKind, string | null>>;
/** Pieces of each artefact, ready to be stored. */
export type PackedArtefacts = Readonly<Record<ArtefactKind, readonly string[]>>;

export function digestOf(script: string): string {
  return createHash("sha256").update(script).digest("hex");
}

export async function pack(artefacts: Artefacts): Promise<PackedArtefacts> {
  const entries = await Promise.all(ARTEFACT_KINDS.map(async (kind) => [kind, await chunksOf(artefacts[kind])] as const));
  return Object.fromEntries(entries) as PackedArtefacts;
}

export function storeVersion(
  transaction: Transaction,
  version: { readonly digest: string; readonly createdMs: number; readonly packed: PackedArtefacts },
): void {
  const { digest, createdMs, packed } = version;
  const chunks = { script: packed.script.length, sourceMap: packed.sourceMap.length, analysis: packed.analysis.length };
  transaction.records.put(VERSIONS, [digest], { digest, createdMs, chunks });
  for (const kind of ARTEFACT_KINDS) {
    packed[kind].forEach((chunk, index) => transaction.records.put(ARTEFACT_CHUNKS, [digest, kind, index], chunk));
  }
}

export async function deleteVersion(transaction: Transaction, digest: string): Promise<void> {
  const version = await transaction.records.get(VERSIONS, [digest]);
  if (version === undefined) return;
  for (const kind of ARTEFACT_KINDS) {
    for (let index = 0; index < version.chunks[kind]; index++) transaction.records.delete(ARTEFACT_CHUNKS, [digest, kind, index]);
  }
  transaction.records.delete(VERSIONS, [digest]);
}

/** The stored bytes of an artefact, base64 pieces in order; null when the version has none. */
export async function readArtefact(transaction: Transaction, version: StoredVersion, kind: ArtefactKind): Promise<string | null> {
  const count = version.chunks[kind];
  if (count === 0) return null;
  const indexes = Array.from({ length: count }, (_, index) => index);
  const chunks = await Promise.all(
    indexes.map(async (index) =>
      must(await transaction.records.get(ARTEFACT_CHUNKS, [version.digest, kind, index]), `chunk ${index} of ${kind} of ${version.digest}`),
    ),
  );
  const text = (await decompress(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, "base64"))))).toString("utf8");
  if (kind === "script") assert(digestOf(text) === version.digest, `the stored script of ${version.digest} is the one that was deployed`);
  return text;
}

async function chunksOf(text: string | null): Promise<readonly string[]> {
  if (text === null) return [];
  const bytes = await compress(Buffer.from(text, "utf8"));
  const size = limit("deployChunkBytesMax");
  const chunks: string[] = [];
  for (let start = 0; start < bytes.length; start += size)
    chunks.push(bytes.toString("base64", start, Math.min(start + size, bytes.length)));
  return chunks;
}

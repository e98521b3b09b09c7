/**
 * Scripts, source maps and analyses of versions: compressed blobs that the version's row refers to. They are read when a runner
 * or a stack trace needs them and never kept in memory.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { assert, must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { markDropped } from "../blobs/dropped-blobs.ts";
import type { KeyPart, Records } from "../database/database.ts";
import { VERSIONS } from "../database/record-tables.ts";
import { ARTEFACT_KINDS, type ArtefactKind, type StoredVersion } from "./version-records.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const PAGE = 200;

export type Artefacts = Readonly<Record<ArtefactKind, string | null>>;

export function digestOf(script: string): string {
  return createHash("sha256").update(script).digest("hex");
}

/** Stores the texts; they are durable before the transaction that refers to them begins. */
export async function putArtefacts(blobs: Blobs, tenant: string, artefacts: Artefacts): Promise<StoredVersion["blobs"]> {
  const [script, sourceMap, analysis] = await Promise.all(ARTEFACT_KINDS.map((kind) => putOne(blobs, tenant, artefacts[kind])));
  return { script: script ?? null, sourceMap: sourceMap ?? null, analysis: analysis ?? null };
}

/** The text of an artefact; null when the version has none. */
export async function readArtefact(blobs: Blobs, tenant: string, version: StoredVersion, kind: ArtefactKind): Promise<string | null> {
  const digest = version.blobs[kind];
  if (digest === null) return null;
  const bytes = must(await blobs.read(tenant, digest), `the ${kind} of ${version.digest} is stored`);
  const text = (await decompress(bytes)).toString("utf8");
  if (kind === "script") assert(digestOf(text) === version.digest, `the stored script of ${version.digest} is the one that was deployed`);
  return text;
}

/** Deletes the row; the collector deletes the blobs in time. */
export async function deleteVersion(records: Records, digest: string, nowMs: number): Promise<void> {
  const version = await records.get(VERSIONS, [digest]);
  if (version === undefined) return;
  records.delete(VERSIONS, [digest]);
  markDropped(records, blobsOf(version), nowMs);
}

/** Blobs that the versions of a branch refer to. */
export async function artefactBlobs(records: Records): Promise<readonly string[]> {
  const digests: string[] = [];
  for (let after: readonly KeyPart[] | undefined; ;) {
    const rows = await records.range(VERSIONS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) });
    digests.push(...rows.flatMap(({ value }) => blobsOf(value)));
    if (rows.length < PAGE) return digests;
    after = rows.at(-1)?.key;
  }
}

async function putOne(blobs: Blobs, tenant: string, text: string | null): Promise<string | null> {
  if (text === null) return null;
  const bytes = await compress(Buffer.from(text, "utf8"));
  const source = (async function* () {
    yield bytes;
  })();
  return (await blobs.put(tenant, source, { bytesMax: limit("deployBodyBytesMax") })).digest;
}

function blobsOf(version: StoredVersion): readonly string[] {
  return ARTEFACT_KINDS.flatMap((kind) => version.blobs[kind] ?? []);
}

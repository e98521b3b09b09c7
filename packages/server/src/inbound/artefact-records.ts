/** Rows of files that came from outside. */
import { assert } from "@plinth/core/assert.ts";

export interface InboundArtefactRow {
  readonly id: string;
  readonly digest: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** Whose event source it came to. */
  readonly snapInId: string;
  readonly createdMs: number;
  /** What URLs to it are made with; absent before the first. */
  readonly key?: string;
}

/** A file that is expected at a URL. */
export interface ArtefactUploadRow {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly snapInId: string;
  readonly key: string;
  readonly createdMs: number;
}

export function parseArtefactUpload(json: unknown): ArtefactUploadRow {
  const row = json as ArtefactUploadRow;
  assert(typeof row.id === "string" && typeof row.key === "string", "an expected file has its fields");
  return row;
}

export function parseInboundArtefact(json: unknown): InboundArtefactRow {
  const row = json as InboundArtefactRow;
  assert(typeof row.digest === "string" && typeof row.type === "string" && Number.isInteger(row.bytes), "a stored file has its fields");
  // Rows of before have no owner: applications with a key read them.
  return { ...row, snapInId: typeof row.snapInId === "string" ? row.snapInId : "" };
}

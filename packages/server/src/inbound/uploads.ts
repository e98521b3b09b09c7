/**
 * Files that packages leave and take by URLs, as clients of the contract do: a place for a file, its upload, and a URL to read it by. An
 * uploaded file is a file of the branch like those of emails, with their retention.
 *
 * U1 A URL opens one file, for one purpose and for an hour; it needs no other credential.
 * U2 A file is there wholly or not at all. Until the URL ends it may be sent again, because an answer may be lost.
 * U3 A snap-in reaches its own files only.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Readable } from "node:stream";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { ARTEFACT_UPLOADS, INBOUND_ARTEFACTS } from "../database/record-tables.ts";
import { resultSpace } from "../engine/large-results.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ArtefactUploadRow, InboundArtefactRow } from "./artefact-records.ts";
import { newArtefactId, type InboundArtefacts } from "./artefacts.ts";

export interface UploadParts {
  readonly blobs: Pick<Blobs, "put" | "open">;
  readonly database: Pick<Database, "read" | "update">;
  readonly runtime: Pick<Runtime, "nowMs" | "randomBytes">;
  readonly artefacts: Pick<InboundArtefacts, "keep">;
}

/** What follows the branch in a URL. */
export interface FileUrl {
  readonly id: string;
  readonly expiresMs: number;
  readonly token: string;
}

export interface FileInfo {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Null before it was uploaded. */
  readonly bytes: number | null;
  readonly createdMs: number;
}

type Purpose = "upload" | "download";

export class ArtefactUploads {
  readonly #parts: UploadParts;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** A place for a file. Rejects with TooManyConcurrentRequests when too many wait for theirs. */
  async prepare(scope: Scope, file: { readonly snapInId: string; readonly name: string; readonly type: string }): Promise<FileUrl> {
    const { runtime, database } = this.#parts;
    const nowMs = runtime.nowMs();
    const row: ArtefactUploadRow = { ...file, id: newArtefactId(runtime), key: this.#newKey(), createdMs: nowMs };
    await database.update(scope, async ({ records }) => {
      const max = limit("artefactUploadsOpenMax");
      const open = await records.range(ARTEFACT_UPLOADS, { prefix: [], limit: max });
      const ended = open.filter(({ value }) => expiryOf(value) <= nowMs);
      for (const { key } of ended) records.delete(ARTEFACT_UPLOADS, key);
      if (open.length - ended.length >= max)
        throw plinthError("TooManyConcurrentRequests", { detail: `${max} files of the branch are expected` });
      records.put(ARTEFACT_UPLOADS, [row.id], row);
    });
    return urlOf(row, "upload", expiryOf(row));
  }

  /** U1, U2. Rejects with NotFound for everything that is wrong with the URL. */
  async upload(scope: Scope, url: FileUrl, source: AsyncIterable<Uint8Array>): Promise<void> {
    const { blobs, database, artefacts } = this.#parts;
    await this.#openUpload(scope, url);
    const { digest, bytes } = await blobs.put(resultSpace(scope.tenant), source, { bytesMax: limit("artefactUploadBytesMax") });
    await database.update(scope, async ({ records }) => {
      const row = await records.get(ARTEFACT_UPLOADS, [url.id]);
      if (row === undefined) throw noSuchFile();
      const { id, name, type, snapInId, key, createdMs } = row;
      await artefacts.keep(records, [{ id, name, type, snapInId, digest, bytes, createdMs, key }]);
    });
  }

  /** U3. Undefined when there is none. */
  async info(scope: Scope, id: string, snapInId: string | undefined): Promise<FileInfo | undefined> {
    return await this.#parts.database.read(scope, async ({ records }) => {
      const row = (await records.get(INBOUND_ARTEFACTS, [id])) ?? (await this.#expected(records, id));
      if (row === undefined || (snapInId !== undefined && row.snapInId !== snapInId)) return undefined;
      return { id, name: row.name, type: row.type, bytes: "bytes" in row ? row.bytes : null, createdMs: row.createdMs };
    });
  }

  /** A URL that a file is read by. U3. Rejects with NotFound. */
  async locate(scope: Scope, id: string, snapInId: string | undefined): Promise<FileUrl> {
    const expiresMs = this.#parts.runtime.nowMs() + limit("artefactUrlMs");
    const key = this.#newKey();
    return await this.#parts.database.update(scope, async ({ records }) => {
      const row = await records.get(INBOUND_ARTEFACTS, [id]);
      if (row === undefined || (snapInId !== undefined && row.snapInId !== snapInId)) throw noSuchFile();
      const kept: InboundArtefactRow & { readonly key: string } = { ...row, key: row.key ?? key };
      if (row.key === undefined) records.put(INBOUND_ARTEFACTS, [id], kept);
      return urlOf(kept, "download", expiresMs);
    });
  }

  /** U1. Rejects with NotFound for everything that is wrong with the URL. */
  async open(scope: Scope, url: FileUrl): Promise<{ readonly bytes: number; readonly body: Readable }> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(INBOUND_ARTEFACTS, [url.id]));
    if (row?.key === undefined || !this.#isGood({ id: row.id, key: row.key }, "download", url)) throw noSuchFile();
    const body = await this.#parts.blobs.open(resultSpace(scope.tenant), row.digest);
    if (body === undefined) throw noSuchFile();
    return { bytes: row.bytes, body };
  }

  async #openUpload(scope: Scope, url: FileUrl): Promise<void> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(ARTEFACT_UPLOADS, [url.id]));
    if (row === undefined || url.expiresMs !== expiryOf(row) || !this.#isGood(row, "upload", url)) throw noSuchFile();
  }

  async #expected(records: Records, id: string): Promise<ArtefactUploadRow | undefined> {
    const row = await records.get(ARTEFACT_UPLOADS, [id]);
    return row === undefined || expiryOf(row) <= this.#parts.runtime.nowMs() ? undefined : row;
  }

  #isGood(row: { readonly id: string; readonly key: string }, purpose: Purpose, { expiresMs, token }: FileUrl): boolean {
    if (!(expiresMs > this.#parts.runtime.nowMs())) return false;
    const [wanted, given] = [Buffer.from(urlOf(row, purpose, expiresMs).token), Buffer.from(token)];
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  }

  #newKey(): string {
    return Buffer.from(this.#parts.runtime.randomBytes(32)).toString("hex");
  }
}

function expiryOf({ createdMs }: ArtefactUploadRow): number {
  return createdMs + limit("artefactUrlMs");
}

function urlOf({ id, key }: { readonly id: string; readonly key: string }, purpose: Purpose, expiresMs: number): FileUrl {
  const token = createHmac("sha256", Buffer.from(key, "hex")).update(`${purpose} ${id} ${expiresMs}`).digest("base64url");
  return { id, expiresMs, token };
}

function noSuchFile(): Error {
  return plinthError("NotFound", { what: "file of this id or URL" });
}

/**
 * Files of emails: blobs beside results of calls, with their retention, and a row for each. Rows of files that are gone go with
 * those that come.
 */
import { assert } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { INBOUND_ARTEFACTS } from "../database/record-tables.ts";
import { resultSpace } from "../engine/large-results.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { InboundArtefactRow } from "./artefact-records.ts";

/** More than one email adds, so that the list becomes shorter when emails become rarer. */
const FORGOTTEN_PER_FILE = 3;
const ID = /^art_[0-9a-z]{9}_[0-9a-f]{32}$/;

/** Ids are in the order of their time. */
export function newArtefactId(runtime: Pick<Runtime, "nowMs" | "randomBytes">): string {
  return `art_${runtime.nowMs().toString(36).padStart(9, "0")}_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`;
}

export interface ArtefactParts {
  readonly blobs: Pick<Blobs, "put" | "read">;
  readonly database: Pick<Database, "read">;
  readonly runtime: Pick<Runtime, "nowMs" | "randomBytes">;
  readonly retentionMs: number;
}

export class InboundArtefacts {
  readonly #parts: ArtefactParts;

  constructor(parts: ArtefactParts) {
    this.#parts = parts;
  }

  /** The bytes are durable when this resolves; `keep` writes the row in the transaction that refers to it. */
  async put(
    scope: Scope,
    file: { readonly snapInId: string; readonly name: string; readonly type: string; readonly bytes: Buffer },
  ): Promise<InboundArtefactRow> {
    const { blobs, runtime } = this.#parts;
    const { snapInId, name, type, bytes } = file;
    const source = (async function* () {
      yield bytes;
    })();
    const { digest } = await blobs.put(resultSpace(scope.tenant), source, { bytesMax: limit("emailBytesMax") });
    return { id: newArtefactId(runtime), digest, name, type, bytes: bytes.length, snapInId, createdMs: runtime.nowMs() };
  }

  async keep(records: Records, rows: readonly InboundArtefactRow[]): Promise<void> {
    const beforeMs = this.#parts.runtime.nowMs() - this.#parts.retentionMs;
    for (const row of rows) records.put(INBOUND_ARTEFACTS, [row.id], row);
    for (const { key, value } of await records.range(INBOUND_ARTEFACTS, { prefix: [], limit: rows.length * FORGOTTEN_PER_FILE })) {
      if (value.createdMs >= beforeMs) break;
      records.delete(INBOUND_ARTEFACTS, key);
    }
  }

  /** Undefined when there is none, or none any more; for a snap-in that is named also when it is another's. */
  async read(
    scope: Scope,
    id: string,
    snapInId?: string,
  ): Promise<{ readonly row: InboundArtefactRow; readonly bytes: Buffer } | undefined> {
    if (!ID.test(id)) return undefined;
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(INBOUND_ARTEFACTS, [id]));
    if (snapInId !== undefined && row?.snapInId !== snapInId) return undefined;
    const bytes = row === undefined ? undefined : await this.#parts.blobs.read(resultSpace(scope.tenant), row.digest);
    if (row === undefined || bytes === undefined) return undefined;
    assert(bytes.length === row.bytes, "a stored file has the length of its row");
    return { row, bytes };
  }
}

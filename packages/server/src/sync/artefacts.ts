/**
 * What packages leave with the host in a run: files that are announced, uploaded, confirmed and read again. Bytes are blobs; rows
 * refer to them.
 *
 * F1 An artefact belongs to one run; its URLs are good for it alone, and as long as the run goes on.
 * F2 A confirmed artefact does not change.
 */
import type { Readable } from "node:stream";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { markDropped } from "../blobs/dropped-blobs.ts";
import type { Database, KeyPart, Records, Scope } from "../database/database.ts";
import { SYNC_ARTEFACTS, SYNC_RUNS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isJsonObject } from "../snap-ins/json-object.ts";
import { mustHave } from "./run-store.ts";
import type { SyncArtefactRow } from "./sync-records.ts";

export interface SyncArtefactsOptions {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runtime: Runtime;
}

const PAGE = 500;
const NAME_CHARS = 256;

export class SyncArtefacts {
  readonly #options: SyncArtefactsOptions;

  constructor(options: SyncArtefactsOptions) {
    this.#options = options;
  }

  /** A place for a file of the run. */
  async announce(scope: Scope, runId: string, file: { readonly name: string; readonly contentType: string }): Promise<SyncArtefactRow> {
    const { database, runtime } = this.#options;
    const id = `artefact_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`;
    return await database.update(scope, async ({ records }) => {
      const run = mustHave(await records.get(SYNC_RUNS, [runId]));
      const max = limit("syncArtefactsMax");
      if (run.artefacts >= max) throw plinthError("RequestTooLarge", { what: "sync run", actual: `${run.artefacts} artefacts`, max });
      const row: SyncArtefactRow = {
        id,
        name: shortName(file.name),
        contentType: file.contentType.slice(0, NAME_CHARS),
        call: run.state.call,
        digest: null,
        bytes: 0,
        confirmed: false,
        itemType: null,
        itemCount: null,
        createdMs: runtime.nowMs(),
      };
      records.put(SYNC_ARTEFACTS, [runId, id], row);
      records.put(SYNC_RUNS, [runId], { ...run, artefacts: run.artefacts + 1 });
      return row;
    });
  }

  /** Stores the bytes of an announced artefact; again, until it is confirmed, because clients try again. */
  async upload(
    scope: Scope,
    at: { readonly runId: string; readonly id: string },
    source: AsyncIterable<Uint8Array>,
  ): Promise<SyncArtefactRow> {
    const { database, blobs, runtime } = this.#options;
    const room = await database.read(scope, async ({ records }) => {
      mustBeOpen(await mustGet(records, at));
      return limit("syncArtefactsBytesMax") - mustHave(await records.get(SYNC_RUNS, [at.runId])).artefactBytes;
    });
    if (room <= 0) throw full();
    const { digest, bytes } = await blobs.put(scope.tenant, source, { bytesMax: Math.min(limit("syncArtefactBytesMax"), room) });
    const stored = await database.update(scope, async ({ records }) => {
      const row = await mustGet(records, at);
      const run = mustHave(await records.get(SYNC_RUNS, [at.runId]));
      const artefactBytes = run.artefactBytes + bytes - row.bytes;
      // Others may have come while this one did: they had the same room.
      const refusal = row.confirmed ? confirmed() : artefactBytes > limit("syncArtefactsBytesMax") ? full() : undefined;
      if (refusal !== undefined) {
        if (digest !== row.digest) markDropped(records, [digest], runtime.nowMs());
        return refusal;
      }
      if (row.digest !== null && row.digest !== digest) markDropped(records, [row.digest], runtime.nowMs());
      const changed = { ...row, digest, bytes };
      records.put(SYNC_ARTEFACTS, [at.runId, at.id], changed);
      records.put(SYNC_RUNS, [run.id], { ...run, artefactBytes });
      return changed;
    });
    if (stored instanceof Error) throw stored;
    return stored;
  }

  /** F2 */
  async confirm(scope: Scope, at: { readonly runId: string; readonly id: string }): Promise<void> {
    await this.#options.database.update(scope, async ({ records }) => {
      const row = await mustGet(records, at);
      if (row.digest === null) throw plinthError("WrongState", { what: "artefact", state: "announced", wanted: "uploaded" });
      records.put(SYNC_ARTEFACTS, [at.runId, at.id], { ...row, confirmed: true });
    });
  }

  async get(scope: Scope, at: { readonly runId: string; readonly id: string }): Promise<SyncArtefactRow> {
    return await this.#options.database.read(scope, ({ records }) => mustGet(records, at));
  }

  async open(
    scope: Scope,
    at: { readonly runId: string; readonly id: string },
  ): Promise<{ readonly row: SyncArtefactRow; readonly body: Readable }> {
    const row = await this.get(scope, at);
    const body = row.digest === null ? undefined : await this.#options.blobs.open(scope.tenant, row.digest);
    if (body === undefined) throw plinthError("NotFound", { what: "uploaded artefact with this id" });
    return { row, body };
  }

  async list(scope: Scope, runId: string, afterId?: string): Promise<readonly SyncArtefactRow[]> {
    return await this.#options.database.read(scope, async ({ records }) => {
      mustHave(await records.get(SYNC_RUNS, [runId]));
      const after = afterId === undefined ? {} : { after: [runId, afterId] };
      return (await records.range(SYNC_ARTEFACTS, { prefix: [runId], limit: PAGE, ...after })).map(({ value }) => value);
    });
  }

  /** External units that came inside a report, kept as the artefact that newer packages leave. */
  async keepInline(scope: Scope, runId: string, units: readonly unknown[]): Promise<void> {
    const { id } = await this.announce(scope, runId, { name: "external_sync_units.jsonl", contentType: "application/jsonl" });
    const lines = async function* () {
      for (const unit of units) yield Buffer.from(`${JSON.stringify(unit)}\n`);
      await Promise.resolve();
    };
    await this.upload(scope, { runId, id }, lines());
    await this.#options.database.update(scope, ({ records }) =>
      noteItems(records, runId, [{ id, item_type: "external_sync_units", item_count: units.length }]),
    );
  }
}

/** Writes what a report says about artefacts of the run; what is not there is passed over. */
export async function noteItems(records: Records, runId: string, reported: readonly unknown[]): Promise<void> {
  for (const each of reported.slice(0, PAGE * 4)) {
    if (!isJsonObject(each) || typeof each["id"] !== "string") continue;
    const row = await records.get(SYNC_ARTEFACTS, [runId, each["id"].slice(0, NAME_CHARS)]);
    if (row === undefined) continue;
    const type = each["item_type"];
    const count = each["item_count"];
    records.put(SYNC_ARTEFACTS, [runId, row.id], {
      ...row,
      itemType: typeof type === "string" ? type.slice(0, NAME_CHARS) : null,
      itemCount: typeof count === "number" && Number.isFinite(count) ? count : null,
    });
  }
}

/** Blobs that the runs of a branch refer to. */
export async function syncBlobs(records: Records): Promise<readonly string[]> {
  const digests: string[] = [];
  for (let after: readonly KeyPart[] | undefined; ;) {
    const rows = await records.range(SYNC_ARTEFACTS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { value } of rows) if (value.digest !== null) digests.push(value.digest);
    if (rows.length < PAGE) return digests;
    after = rows.at(-1)?.key;
  }
}

function mustBeOpen(row: SyncArtefactRow): void {
  if (row.confirmed) throw confirmed();
}

function confirmed() {
  return plinthError("WrongState", { what: "artefact", state: "confirmed", wanted: "announced" });
}

function full() {
  const actual = "all the bytes of artefacts that it may have";
  return plinthError("RequestTooLarge", { what: "sync run", actual, max: limit("syncArtefactsBytesMax") });
}

async function mustGet(records: Records, { runId, id }: { readonly runId: string; readonly id: string }): Promise<SyncArtefactRow> {
  const row = await records.get(SYNC_ARTEFACTS, [runId, id]);
  if (row === undefined) throw plinthError("NotFound", { what: "artefact of the run with this id" });
  return row;
}

/** For listings and the names of downloads: without what terminals and file systems take for something else. */
function shortName(name: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = name.replace(/[\u0000-\u001f\u007f/\\]/g, "_").slice(0, NAME_CHARS);
  return clean === "" ? "artefact" : clean;
}

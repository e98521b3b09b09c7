/**
 * What a loading gets: files of items, one item in a line, and one file that names them. The items come with the request, or are those
 * that another run extracted.
 */
import { createGzip } from "node:zlib";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Scope } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isJsonObject } from "../snap-ins/json-object.ts";
import { artefactLines } from "./artefact-lines.ts";
import type { SyncArtefacts } from "./artefacts.ts";
import { hasItems, parseLine } from "./items.ts";
import type { SyncArtefactRow } from "./sync-records.ts";

export interface LoadingSource {
  /** By type of item. */
  readonly items?: Readonly<Record<string, readonly unknown[]>>;
  /** A run whose extracted items are loaded. */
  readonly fromRun?: string;
}

export interface LoadingFiles {
  readonly rows: readonly SyncArtefactRow[];
  /** Id of the file that names the others. */
  readonly statsFile: string;
}

export interface LoadingFilesOptions {
  readonly blobs: Blobs;
  readonly runtime: Runtime;
  readonly artefacts: SyncArtefacts;
}

/** Types that extractions leave about themselves. */
const NO_RECORDS = new Set(["external_domain_metadata", "external_sync_units", "attachments", "ssor_attachment"]);

/** Stores the files; rows that refer to them are the caller's to commit. */
export async function makeLoadingFiles(options: LoadingFilesOptions, scope: Scope, source: LoadingSource): Promise<LoadingFiles> {
  const files: { readonly row: SyncArtefactRow; readonly count: number }[] = [];
  for await (const { type, lines } of linesOf(options.artefacts, scope, source)) {
    if (files.length >= limit("syncLoadFilesMax"))
      throw plinthError("RequestTooLarge", { what: "loading", actual: "more files", max: limit("syncLoadFilesMax") });
    let count = 0;
    const counted = async function* () {
      for await (const line of lines) {
        count++;
        yield line;
      }
    };
    const row = await store(options, scope, { name: `${type}.jsonl.gz`, itemType: type, bytes: packed(counted()) });
    if (count > 0) files.push({ row: { ...row, itemCount: count }, count });
  }
  const stats = files.map(({ row, count }) => ({ id: row.id, item_type: row.itemType, file_name: row.name, count: String(count) }));
  const text = stats.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  const named = await store(options, scope, { name: "stats_file.jsonl", itemType: null, bytes: bytesOf([text]) });
  return { rows: [...files.map(({ row }) => row), named], statsFile: named.id };
}

async function* linesOf(
  artefacts: SyncArtefacts,
  scope: Scope,
  { items, fromRun }: LoadingSource,
): AsyncIterable<{ readonly type: string; readonly lines: AsyncIterable<string> | Iterable<string> }> {
  for (const [type, list] of Object.entries(items ?? {})) yield { type: safeType(type), lines: list.map((item) => JSON.stringify(item)) };
  if (fromRun === undefined) return;
  const budget = { left: limit("syncItemsBytesMax") };
  for (let after: string | undefined; ;) {
    const page = await artefacts.list(scope, fromRun, after);
    for (const row of page) {
      const type = row.itemType ?? "";
      if (!hasItems(row) || NO_RECORDS.has(type)) continue;
      const { body } = await artefacts.open(scope, { runId: fromRun, id: row.id });
      yield { type: safeType(type), lines: loadable(artefactLines(body, budget)) };
    }
    if (page.length < 500) return;
    after = page.at(-1)?.id;
  }
}

/** Items as extractors leave them, in the form that loaders read; what is no item is left out. */
async function* loadable(lines: AsyncIterable<string>): AsyncIterable<string> {
  for await (const line of lines) {
    const item = parseLine(line);
    if (!isJsonObject(item) || (typeof item["id"] !== "string" && typeof item["id"] !== "number")) continue;
    const { created_date, modified_date, data } = item;
    const id = String(item["id"]);
    yield JSON.stringify({ id: { devrev: id, external: id }, created_date, modified_date, data: data ?? {} });
  }
}

async function* packed(lines: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  const zip = createGzip();
  const feeding = (async () => {
    try {
      for await (const line of lines)
        if (!zip.write(`${line}\n`)) await new Promise<void>((resolve) => void zip.once("drain", resolve).once("close", resolve));
      zip.end();
    } catch (error) {
      zip.destroy(error instanceof Error ? error : new Error("the items cannot be read"));
    }
  })();
  try {
    for await (const chunk of zip) yield chunk as Buffer;
  } finally {
    zip.destroy();
    await feeding;
  }
}

async function* bytesOf(texts: Iterable<string>): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
  await Promise.resolve();
}

async function store(
  { blobs, runtime }: LoadingFilesOptions,
  scope: Scope,
  file: { readonly name: string; readonly itemType: string | null; readonly bytes: AsyncIterable<Uint8Array> },
): Promise<SyncArtefactRow> {
  const { digest, bytes } = await blobs.put(scope.tenant, file.bytes, { bytesMax: limit("syncArtefactBytesMax") });
  return {
    id: `artefact_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`,
    name: file.name,
    contentType: file.itemType === null ? "application/jsonl" : "application/x-gzip",
    call: 0,
    digest,
    bytes,
    confirmed: true,
    itemType: file.itemType,
    itemCount: null,
    createdMs: runtime.nowMs(),
  };
}

/** Types become names of files. */
function safeType(type: string): string {
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(type))
    throw plinthError("BadRequest", { detail: "A type of items is a word of letters, digits, `_`, `-` and `.`." });
  return type;
}

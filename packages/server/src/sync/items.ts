/** The items of a run's artefacts, page by page. */
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import { artefactLines } from "./artefact-lines.ts";
import type { SyncArtefacts } from "./artefacts.ts";
import type { SyncArtefactRow } from "./sync-records.ts";

export interface SyncItem {
  readonly type: string;
  /** Id of the artefact. */
  readonly artefact: string;
  /** As the package wrote it; a line that is no JSON comes as `{unreadable}` with its beginning. */
  readonly item: unknown;
}

export interface ItemsPage {
  readonly items: readonly SyncItem[];
  /** What the next page is asked for with; null at the end. */
  readonly next: string | null;
}

export interface ItemsRequest {
  readonly type?: string;
  readonly after?: string;
  readonly limit?: number;
}

const CURSOR = /^(artefact_[0-9a-f]{32}):(\d{1,9})$/;
const SHOWN_CHARS = 200;
/** Bytes of attachments, and what a loading is told about its files. */
const NO_ITEMS = new Set(["ssor_attachment", "stats_file"]);

export async function readItems(artefacts: SyncArtefacts, scope: Scope, run: { readonly id: string } & ItemsRequest): Promise<ItemsPage> {
  const max = Math.min(run.limit ?? 100, limit("syncItemsShownMax"));
  const cursor = CURSOR.exec(run.after ?? "");
  const budget = { left: limit("syncItemsBytesMax") };
  const items: SyncItem[] = [];
  let bytes = 0;
  for await (const row of rowsFrom(artefacts, scope, { runId: run.id, from: cursor?.[1] })) {
    if (!hasItems(row, run.type)) continue;
    const skip = row.id === cursor?.[1] ? Number(cursor[2]) : 0;
    const { body } = await artefacts.open(scope, { runId: run.id, id: row.id });
    let at = 0;
    for await (const line of artefactLines(body, budget)) {
      if (at++ < skip) continue;
      if (items.length >= max || bytes >= limit("syncItemsAnswerBytesMax")) return { items, next: `${row.id}:${at - 1}` };
      items.push(itemOf(row, line));
      bytes += line.length;
    }
  }
  return { items, next: null };
}

/** Whether an artefact is one of items: not an attachment's file, and of the type that is asked for. */
export function hasItems({ digest, itemType, name }: SyncArtefactRow, type?: string): boolean {
  if (digest === null) return false;
  // Types come with the report; before it, the name says it.
  const known = itemType ?? typeOfName(name);
  return known !== undefined && !NO_ITEMS.has(known) && (type === undefined || known === type) && isLines(name);
}

export function typeOf({ itemType, name }: Pick<SyncArtefactRow, "itemType" | "name">): string {
  return itemType ?? typeOfName(name) ?? "";
}

/** Parses one line; undefined when it is no JSON, or nests beyond the limit. */
export function parseLine(line: string): unknown {
  try {
    scanJsonText(line, { depthMax: limit("jsonDepthMax"), what: "item" });
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function itemOf(row: SyncArtefactRow, line: string): SyncItem {
  return { type: typeOf(row), artefact: row.id, item: parseLine(line) ?? { unreadable: line.slice(0, SHOWN_CHARS) } };
}

function typeOfName(name: string): string | undefined {
  return /^([A-Za-z0-9_-]{1,200})\.(?:jsonl|json)(?:\.gz)?$/.exec(name)?.[1];
}

function isLines(name: string): boolean {
  return /\.(?:jsonl|json)(?:\.gz)?$/.test(name);
}

async function* rowsFrom(
  artefacts: SyncArtefacts,
  scope: Scope,
  { runId, from }: { readonly runId: string; readonly from: string | undefined },
): AsyncIterable<SyncArtefactRow> {
  for (let after: string | undefined; ;) {
    const page = await artefacts.list(scope, runId, after);
    for (const row of page) if (from === undefined || row.id >= from) yield row;
    if (page.length < 500) return;
    after = page.at(-1)?.id;
  }
}

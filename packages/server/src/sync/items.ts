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

/** Whether an artefact is one of items, and of the type that is asked for: those that a report named, so not those of a lost call. */
export function hasItems({ digest, itemType, name }: SyncArtefactRow, type?: string): boolean {
  return digest !== null && itemType !== null && (type === undefined || itemType === type) && /\.(?:jsonl|json)(?:\.gz)?$/.test(name);
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
  return { type: row.itemType ?? "", artefact: row.id, item: parseLine(line) ?? { unreadable: line.slice(0, SHOWN_CHARS) } };
}

async function* rowsFrom(
  artefacts: SyncArtefacts,
  scope: Scope,
  { runId, from }: { readonly runId: string; readonly from: string | undefined },
): AsyncIterable<SyncArtefactRow> {
  if (from !== undefined) yield await artefacts.get(scope, { runId, id: from });
  for (let after = from; ;) {
    const page = await artefacts.list(scope, runId, after);
    yield* page;
    if (page.length < 500) return;
    after = page.at(-1)?.id;
  }
}

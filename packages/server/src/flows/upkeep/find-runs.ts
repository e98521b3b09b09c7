/** Lists runs, the newest first, a bounded part at a time. */
import { limit } from "@plinth/core/limits.ts";
import type { KeyPart, Records, Scope } from "../../database/database.ts";
import { DUE_TIMES, FLOW_RUNS, FLOW_RUNS_OF_FLOW, OPEN_FLOW_RUNS, PLATFORM_SCOPE } from "../../database/record-tables.ts";
import { timePrefix } from "../../engine/invocation-ids.ts";
import type { RunRow } from "../flow-records.ts";
import { timerOf } from "../run-rows.ts";
import { summaryOfRow } from "./run-summary.ts";
import type { FoundRuns, ListRequest, RunFilter } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

const ROWS = 200;

type FindParts = Pick<UpkeepParts, "database" | "runtime">;

interface FoundRows {
  readonly rows: readonly RunRow[];
  /** Runs that were looked at. */
  readonly seen: number;
  /** Where it goes on; null at the end. */
  readonly next: string | null;
}

/** What begins meanwhile is newer than all. */
export async function findRows(
  { database, runtime }: FindParts,
  scope: Scope,
  { filter, max, after }: { readonly filter: RunFilter; readonly max: number; readonly after?: string },
): Promise<FoundRows> {
  const first = after ?? (filter.startedBeforeMs === undefined ? undefined : timePrefix(filter.startedBeforeMs));
  const oldest = filter.startedAfterMs === undefined ? "" : timePrefix(filter.startedAfterMs);
  const rows: RunRow[] = [];
  let [seen, cursor] = [0, first];
  for (;;) {
    const page = await database.read(scope, ({ records }) => pageOf(records, filter.flow, cursor));
    for (const row of page) {
      if (row.id < oldest) return { rows, seen, next: null };
      seen += 1;
      cursor = row.id;
      if (fits(row, filter)) rows.push(row);
      if (rows.length >= max || seen >= limit("flowBulkSeenMax")) return { rows, seen, next: cursor };
    }
    if (page.length < ROWS) return { rows, seen, next: null };
    await runtime.sleep(0);
  }
}

export async function listRuns(
  parts: FindParts & Pick<UpkeepParts, "runs">,
  scope: Scope,
  { isStuck, ...request }: ListRequest,
): Promise<FoundRuns> {
  const { rows, next } = isStuck ? await findStuck(parts, scope, request) : await findRows(parts, scope, request);
  return { runs: rows.map(summaryOfRow), next };
}

/** Those that the reaper (flows/scripts/reaper.ts) would find: work that nobody does, and times that are past. */
async function findStuck(
  { database, runtime, runs }: FindParts & Pick<UpkeepParts, "runs">,
  scope: Scope,
  { filter, max, after = "\u{10ffff}" }: Omit<ListRequest, "isStuck">,
): Promise<FoundRows> {
  const latestMs = runtime.nowMs() - limit("flowOverdueMs");
  const place = [scope.tenant, scope.branch];
  const ids = new Set<string>();
  const most = limit("flowBulkSeenMax");
  for await (const key of keysOf(OPEN_FLOW_RUNS)) if (ids.size < most && !runs.has(scope, String(key[2]))) ids.add(String(key[2]));
  for await (const key of keysOf(DUE_TIMES)) {
    if (Number(key[2]) > latestMs || ids.size >= most) break;
    if (key[3] === "flow") ids.add(timerOf(String(key[4])).run);
  }
  const sought = [...ids].filter((id) => id < after).toSorted((a, b) => (a < b ? 1 : -1));
  const rows: RunRow[] = [];
  for (const id of sought) {
    const row = await database.read(scope, ({ records }) => records.get(FLOW_RUNS, [id]));
    if (row === undefined || row.endedMs !== null || !isWanted(row, filter)) continue;
    rows.push(row);
    if (rows.length >= max) return { rows, seen: ids.size, next: id };
  }
  return { rows, seen: ids.size, next: null };

  async function* keysOf(table: typeof OPEN_FLOW_RUNS): AsyncGenerator<readonly KeyPart[]> {
    for (let last: readonly KeyPart[] | undefined; ;) {
      const page = { prefix: place, limit: ROWS, ...(last === undefined ? {} : { after: last }) };
      const found = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(table, page));
      for (const { key } of found) yield key;
      if (found.length < ROWS) return;
      last = found.at(-1)?.key;
      await runtime.sleep(0);
    }
  }
}

function isWanted(row: RunRow, filter: RunFilter): boolean {
  return (filter.flow === undefined || row.flow === filter.flow) && fits(row, filter);
}

async function pageOf(records: Records, flow: string | undefined, cursor: string | undefined): Promise<readonly RunRow[]> {
  const page = { order: "desc", limit: ROWS } as const;
  if (flow === undefined) {
    const rows = await records.range(FLOW_RUNS, { prefix: [], ...page, ...(cursor === undefined ? {} : { after: [cursor] }) });
    return rows.map(({ value }) => value);
  }
  const keys = await records.range(FLOW_RUNS_OF_FLOW, {
    prefix: [flow],
    ...page,
    ...(cursor === undefined ? {} : { after: [flow, cursor] }),
  });
  const rows = await Promise.all(keys.map(({ key }) => records.get(FLOW_RUNS, [String(key[1])])));
  return rows.filter((row) => row !== undefined);
}

function fits(row: RunRow, { status, reason, version, startedAfterMs, startedBeforeMs }: RunFilter): boolean {
  if (status !== undefined && !status.includes(row.status)) return false;
  if (reason !== undefined && row.reason?.code !== reason && row.error?.code !== reason) return false;
  if (version !== undefined && !row.version.startsWith(version)) return false;
  return row.startedMs >= (startedAfterMs ?? 0) && row.startedMs < (startedBeforeMs ?? Infinity);
}

/**
 * Deletes a run that has ended, with all that belongs to it.
 *
 * R1 From the first slice on nobody finds the run; its place in the index goes with the last one, so a host that was killed in between
 *    goes on.
 * R2 A run that goes on meanwhile is left alone: the slice reads its row.
 */
import { markDropped } from "../../blobs/dropped-blobs.ts";
import type { Database, Records } from "../../database/database.ts";
import {
  ENDED_FLOW_RUNS,
  FLOW_ANSWERS,
  FLOW_CHILDREN,
  FLOW_JOURNAL,
  FLOW_REFUSED_ANSWERS,
  FLOW_RUNS,
  FLOW_RUNS_OF_FLOW,
  FLOW_SNAPSHOTS,
  FLOW_START_KEYS,
  FLOW_STEP_LOGS,
  FLOW_VALUES,
} from "../../database/record-tables.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { endedKey, type EndedRun } from "./ended-runs.ts";

/** Tables whose keys begin with the run. A new one gets its name here, and its rows go with their run. */
const TABLES_OF_RUNS = [FLOW_JOURNAL, FLOW_SNAPSHOTS, FLOW_ANSWERS, FLOW_REFUSED_ANSWERS, FLOW_CHILDREN, FLOW_STEP_LOGS] as const;

/** Rows of a journal may have megabytes together. */
const SLICE = 100;

export interface DeleteRunParts {
  readonly database: Pick<Database, "update">;
  readonly runtime: Pick<Runtime, "nowMs" | "sleep">;
}

/** False when it was not deleted: it goes on. */
export async function deleteRun({ database, runtime }: DeleteRunParts, ended: EndedRun): Promise<boolean> {
  for (;;) {
    const done = await database.update(ended.scope, ({ records }) => deleteSlice(records, ended, runtime.nowMs()));
    if (done !== "more") return done === "deleted";
    await runtime.sleep(0);
  }
}

async function deleteSlice(records: Records, ended: EndedRun, nowMs: number): Promise<"more" | "deleted" | "goesOn"> {
  const { id, flow } = ended;
  const row = await records.get(FLOW_RUNS, [id]);
  if (row !== undefined && row.endedMs !== ended.endedMs) {
    records.delete(ENDED_FLOW_RUNS, endedKey(ended));
    return "goesOn";
  }
  if (row !== undefined) {
    records.delete(FLOW_RUNS, [id]);
    records.delete(FLOW_RUNS_OF_FLOW, [flow, id]);
    if (row.startKey !== undefined) records.delete(FLOW_START_KEYS, [flow, row.startKey]);
  }
  let left = SLICE;
  for (const table of TABLES_OF_RUNS) {
    const rows = left === 0 ? [] : await records.range<unknown>(table, { prefix: [id], limit: left });
    for (const { key } of rows) records.delete<unknown>(table, key);
    left -= rows.length;
  }
  const values = left === 0 ? [] : await records.range(FLOW_VALUES, { prefix: [id], limit: left });
  for (const { key } of values) records.delete(FLOW_VALUES, key);
  markDropped(
    records,
    values.map(({ value }) => value.digest),
    nowMs,
  );
  if (left - values.length <= 0) return "more";
  records.delete(ENDED_FLOW_RUNS, endedKey(ended));
  return "deleted";
}

/** What is told of a run by its row. */
import type { RunRow } from "../flow-records.ts";
import type { RunSummary } from "../flows.ts";

export function summaryOfRow({ id, flow, version, status, reason, trigger, startedMs, endedMs, error }: RunRow): RunSummary {
  return { id, flow, version, status, reason, trigger, startedMs, endedMs, error };
}

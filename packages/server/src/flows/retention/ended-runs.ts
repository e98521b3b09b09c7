/** The index of runs that have ended: what retention goes by. */
import type { Records, Scope } from "../../database/database.ts";
import { ENDED_FLOW_RUNS } from "../../database/record-tables.ts";
import type { RunRow } from "../flow-records.ts";

export interface EndedRun {
  readonly scope: Scope;
  readonly flow: string;
  readonly endedMs: number;
  readonly id: string;
}

/** In the transaction that writes the row of a run. A run that goes on after its end leaves the index. */
export function noteEnd(
  records: Records,
  scope: Scope,
  { before, after }: Readonly<Record<"before" | "after", Pick<RunRow, "flow" | "id" | "endedMs">>>,
): void {
  if (before.endedMs === after.endedMs) return;
  const { flow, id } = after;
  if (before.endedMs !== null) records.delete(ENDED_FLOW_RUNS, endedKey({ scope, flow, id, endedMs: before.endedMs }));
  if (after.endedMs !== null) records.put(ENDED_FLOW_RUNS, endedKey({ scope, flow, id, endedMs: after.endedMs }), true);
}

export function endedKey({ scope, flow, endedMs, id }: EndedRun): readonly [string, string, string, number, string] {
  return [scope.tenant, scope.branch, flow, endedMs, id];
}

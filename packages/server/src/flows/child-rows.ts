/** Due rows by which runs that wait for each other are told of each other (B2 of child-runs.ts). */
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { RunState, Wait } from "@plinth/core/flow/state.ts";
import type { Records, Scope } from "../database/database.ts";
import { DUE_TIMES } from "../database/record-tables.ts";
import { dueKey } from "../schedules/scheduled-functions.ts";
import type { RunRow } from "./flow-records.ts";

/** In place of names of timers, which begin with no `$`. Behind it stands the child. */
export const ENDED = "$ended/";
export const ABANDONED = "$abandoned";

/** Runs that steps of a run wait for. */
export function childrenOf(state: RunState): ReadonlyMap<string, string> {
  let children: Map<string, string> | undefined;
  const see = (wait: Wait | null | undefined): void => {
    if (wait?.kind === "deferred" && wait.child !== undefined) (children ??= new Map()).set(wait.child, wait.key);
  };
  for (const frame of state.frames) see(frame?.wait);
  if (state.status.kind === "undoing") see(state.status.undoing.wait);
  return children ?? NO_CHILDREN;
}

const NO_CHILDREN: ReadonlyMap<string, string> = new Map();

/** B2: with each write of a run. */
export function noteChildren(
  { records, scope }: { readonly records: Records; readonly scope: Scope },
  change: {
    readonly before: { readonly row: RunRow; readonly children?: ReadonlyMap<string, string> };
    readonly after: RunRow;
    readonly children: ReadonlyMap<string, string>;
    readonly events: readonly FlowEvent[];
    readonly nowMs: number;
  },
): void {
  const { before, after, children, events, nowMs } = change;
  const due = (run: string, timer: string): void => records.put(DUE_TIMES, dueKey(scope, nowMs, "flow", `${run} ${timer}`), true);
  for (const [child, key] of before.children ?? []) {
    const hasAnswered = events.some((event) => (event.kind === "completed" || event.kind === "failed") && event.key === key);
    if (!children.has(child) && !hasAnswered) due(child, ABANDONED);
  }
  const { parent } = after;
  if (parent?.isAwaited === true && after.endedMs !== null && before.row.endedMs === null) due(parent.run, `${ENDED}${after.id}`);
}

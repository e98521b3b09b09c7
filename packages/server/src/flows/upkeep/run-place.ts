/** Where a run stands: what it waits for and why, with its values. */
import { retryNodes } from "@plinth/core/flow/retry-run.ts";
import { viewRun } from "@plinth/core/flow/views.ts";
import type { Scope } from "../../database/database.ts";
import { summaryOf } from "../run-rows.ts";
import type { RunPlace } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

export async function placeOfRun({ runs }: Pick<UpkeepParts, "runs">, scope: Scope, id: string): Promise<RunPlace> {
  const { program, state, stored } = await runs.read(scope, id);
  const { reasons, variables, steps, deadlineMs, undone, undoFailures } = viewRun(program, state);
  return {
    ...summaryOf(state, stored.row),
    reasons,
    input: state.trigger.json,
    variables: Object.fromEntries(Object.entries(variables).map(([name, { json }]) => [name, json])),
    steps: steps.map(({ output, ...step }) => ({ ...step, output: output?.json ?? null })),
    deadlineMs,
    undone,
    undoFailures: undoFailures.map(({ message }) => message),
    events: state.events,
    retryFrom: retryNodes(program, state),
  };
}

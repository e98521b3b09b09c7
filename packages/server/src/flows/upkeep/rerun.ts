/** Begins a new run with what another one was given. */
import type { Scope } from "../../database/database.ts";
import type { RunSummary } from "../flows.ts";
import type { RerunRequest } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

export async function rerun({ runs, flows }: UpkeepParts, scope: Scope, id: string, request: RerunRequest): Promise<RunSummary> {
  const { actor, input, idempotencyKey } = request;
  const { state, stored } = await runs.read(scope, id);
  const given = input === undefined ? { input: state.trigger.json, stored: state.trigger.stored ?? [] } : { input };
  return await flows.start({
    ...{ scope, actor, flow: stored.row.flow, source: "native", ...given },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
}

/** What upkeep works with. */
import type { Database } from "../../database/database.ts";
import type { Deploys } from "../../deploys/deploys.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { StepCallsParts } from "../calls/call.ts";
import type { FlowDefinitions } from "../flow-definitions.ts";
import type { Flows } from "../flows.ts";
import type { OpenRuns } from "../open-runs.ts";

export interface UpkeepParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly deploys: Pick<Deploys, "version">;
  readonly definitions: FlowDefinitions;
  readonly runs: OpenRuns;
  readonly flows: Pick<Flows, "start">;
  readonly calls: StepCallsParts;
}

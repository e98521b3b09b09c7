/** Makes `Upkeep`. */
import { BulkRuns } from "./bulk-runs.ts";
import { compareVersions } from "./compare-versions.ts";
import { dryRunOnHost } from "./dry-runs.ts";
import { exportFlow, importFlow, setTests, testsOf } from "./flow-documents.ts";
import { listRuns } from "./find-runs.ts";
import { moveOne } from "./move-runs.ts";
import { rerun } from "./rerun.ts";
import { RunChanges } from "./run-changes.ts";
import { placeOfRun } from "./run-place.ts";
import type { Upkeep } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";
import { watchRun } from "./watch-run.ts";

export function openUpkeep(parts: UpkeepParts): Upkeep {
  const bulk = new BulkRuns(parts);
  const changes = new RunChanges(parts.database);
  return {
    move: (scope, id, request) => moveOne(parts, scope, id, request),
    compare: (scope, request) => compareVersions(parts, scope, request),
    dryRun: (request) => dryRunOnHost(parts, request),
    watch: (scope, id, request) => watchRun({ ...parts, changes, stepLogs: parts.calls.stepLogs }, scope, id, request),
    place: (scope, id) => placeOfRun(parts, scope, id),
    rerun: (scope, id, request) => rerun(parts, scope, id, request),
    runs: (scope, request) => listRuns(parts, scope, request),
    bulk: (scope, request) => bulk.slice(scope, request),
    export: (scope, request) => exportFlow(parts, scope, request),
    import: (scope, request) => importFlow(parts, scope, request),
    tests: (scope, flow) => testsOf(parts, scope, flow),
    setTests: (scope, request) => setTests(parts, scope, request),
  };
}

/** Moves one run to another version of its flow. */
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import { type MovedEvent, moveRun } from "@plinth/core/flow/move-run.ts";
import type { Scope } from "../../database/database.ts";
import { versionNamed, wasHeadSince } from "../version-names.ts";
import type { MoveOutcome, MoveRequest } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

const SHOWN = 5;

export async function moveOne(parts: UpkeepParts, scope: Scope, id: string, { by, to, isDry, request }: MoveRequest): Promise<MoveOutcome> {
  const { database, definitions, deploys, runs, runtime } = parts;
  const { program: before, state, stored } = await runs.read(scope, id);
  const { flow } = stored.row;
  const version = await versionNamed(database, scope, { flow, name: to });
  if (version === stored.row.version)
    throw plinthError("FlowRunRefused", { detail: `The run has the version ${version.slice(0, 12)} already.` });
  const { startedMs } = stored.row;
  if (!(await wasHeadSince(database, scope, { flow, version, sinceMs: startedMs }))) {
    const detail = `The version ${version.slice(0, 12)} was replaced before the run began; it has to be published again.`;
    throw plinthError("FlowVersionUnfit", { detail });
  }
  const errors = await errorsOf(parts, scope, { flow, version });
  const program = await definitions.program(scope, flow, version);
  const event: MovedEvent = { kind: "moved", atMs: runtime.nowMs(), version, by, ...(request === undefined ? {} : { request }) };
  const outcome = (findings: readonly FlowFinding[]): MoveOutcome => ({
    ...{ id, version, moved: !isDry && findings.length === 0, findings },
  });
  if (isDry) {
    const moved = moveRun({ before, after: program }, state, event);
    return outcome(moved.ok ? errors : [...errors, ...moved.findings]);
  }
  if (errors.length > 0) throw refused(errors);
  // The functions that the version was checked with.
  const functions = (await deploys.version(scope))?.digest ?? null;
  const findings = await runs.with(scope, id, (driver) => driver.move({ program, event, functions }));
  if (findings.length > 0) throw refused(findings);
  return outcome([]);
}

/** What the version calls may have gone since it was published. */
async function errorsOf(
  { definitions }: UpkeepParts,
  scope: Scope,
  { flow, version }: { readonly flow: string; readonly version: string },
): Promise<readonly FlowFinding[]> {
  const { findings } = await definitions.check(scope, await definitions.definition(scope, flow, version));
  return findings.filter(({ severity }) => severity === "error");
}

function refused(findings: readonly FlowFinding[]) {
  const shown = findings.slice(0, SHOWN).map(({ message }) => message);
  const more = findings.length > SHOWN ? ` And ${findings.length - SHOWN} more.` : "";
  return plinthError("FlowVersionUnfit", { detail: `${shown.join(" ")}${more}` });
}

/** Replays recorded histories of a flow against a definition that may become its next version. */
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import { foldVersions, versionsOf } from "@plinth/core/flow/fold.ts";
import { type MovedEvent, moveRun, type Versions } from "@plinth/core/flow/move-run.ts";
import { compileFlow, type FlowProgram } from "@plinth/core/flow/program.ts";
import { ReplayComparison } from "@plinth/core/flow/replay.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_JOURNAL, FLOW_RUNS, FLOW_RUNS_OF_FLOW } from "../../database/record-tables.ts";
import type { RunRow } from "../flow-records.ts";
import type { ComparedRun, CompareRequest, Comparison } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

export async function compareVersions(
  parts: UpkeepParts,
  scope: Scope,
  { definition: json, runsMax }: CompareRequest,
): Promise<Comparison> {
  const { runtime } = parts;
  const endMs = runtime.nowMs() + limit("flowCompareMs");
  const { definition, findings } = await parts.definitions.check(scope, json);
  if (definition === null) return { findings, runs: [], isCut: false };
  const after = compileFlow(definition);
  const chosen = await runsToCompare(parts, scope, { flow: definition.name, runsMax });
  const runs: ComparedRun[] = [];
  let bytes = 0;
  for (const row of chosen.rows) {
    if (runtime.nowMs() > endMs) return { findings, runs, isCut: true };
    const compared = await compareRun(parts, scope, { row, after, endMs });
    bytes += JSON.stringify(compared.differences).length;
    if (bytes > limit("flowCompareBytesMax")) return { findings, runs, isCut: true };
    runs.push(compared);
  }
  return { findings, runs, isCut: chosen.isCut };
}

/** Those that go on, then the newest that have ended. */
async function runsToCompare(
  { database }: UpkeepParts,
  scope: Scope,
  { flow, runsMax }: { readonly flow: string; readonly runsMax: number },
): Promise<{ readonly rows: readonly RunRow[]; readonly isCut: boolean }> {
  const page = limit("flowCompareSeenMax");
  const rows = await database.read(scope, async ({ records }) => {
    const keys = await records.range(FLOW_RUNS_OF_FLOW, { prefix: [flow], order: "desc", limit: page });
    const found = await Promise.all(keys.map(({ key }) => records.get(FLOW_RUNS, [String(key[1])])));
    return found.filter((row) => row !== undefined);
  });
  const ordered = [...rows.filter(({ endedMs }) => endedMs === null), ...rows.filter(({ endedMs }) => endedMs !== null)];
  return { rows: ordered.slice(0, runsMax), isCut: ordered.length > runsMax || rows.length >= page };
}

interface Compared {
  readonly row: RunRow;
  readonly after: FlowProgram;
  readonly endMs: number;
}

async function compareRun(parts: UpkeepParts, scope: Scope, { row, after, endMs }: Compared): Promise<ComparedRun> {
  const { id, status, version, startedMs } = row;
  const { events, isCut } = await readEvents(parts, scope, { id, bytesMax: limit("flowCompareBytesMax") });
  let replayed = events.length;
  const programs = await programsOf(parts, scope, row.flow, [...versionsOf(events), version]);
  const programOf = (name: string): FlowProgram => programs.get(name) ?? after;
  const { comparison, first } = beginning(events, programOf, after);
  for (let at = first; at < events.length && !comparison.isOver; at += SLICE) {
    if (parts.runtime.nowMs() > endMs) {
      replayed = at;
      break;
    }
    comparison.take(events.slice(at, at + SLICE));
    await parts.runtime.sleep(0);
  }
  const { program: before, state } = await parts.runs.read(scope, id);
  const moved = moveRun({ before, after }, state, moveTo(state.nowMs));
  const misfits = status === "completed" ? null : moved.ok ? [] : moved.findings;
  return {
    id,
    status,
    version,
    startedMs,
    misfits,
    differences: comparison.differences,
    events: replayed,
    isCut: isCut || replayed < events.length,
  };
}

/** Events that are replayed before others get their turn. */
const SLICE = 20;

function moveTo(atMs: number): MovedEvent {
  return { kind: "moved", atMs, version: "new", by: "" };
}

/** A run that was moved is compared from its last move on. */
function beginning(
  events: readonly FlowEvent[],
  programOf: (version: string) => FlowProgram,
  after: FlowProgram,
): { readonly comparison: ReplayComparison; readonly first: number } {
  const differencesMax = limit("flowCompareDifferencesMax");
  const last = events.findLastIndex(({ kind }) => kind === "moved");
  const lastVersion = versionsOf(events).at(-1) ?? "";
  const versions: Versions = { before: programOf(lastVersion), after };
  if (last < 0) return { comparison: new ReplayComparison(versions, { differencesMax }), first: 0 };
  const before = foldVersions(programOf, events.slice(0, last + 1));
  const moved = moveRun(versions, before, moveTo(before.nowMs));
  const from = { before, after: moved.ok ? moved.state : before, event: last + 1 };
  return { comparison: new ReplayComparison(versions, { from, differencesMax }), first: moved.ok ? last + 1 : events.length };
}

const BATCHES = 64;

/** The first events of a journal, within bounds. */
export async function readEvents(
  { database }: Pick<UpkeepParts, "database">,
  scope: Scope,
  { id, bytesMax }: { readonly id: string; readonly bytesMax: number },
): Promise<{ readonly events: readonly FlowEvent[]; readonly bytes: number; readonly isCut: boolean }> {
  const max = limit("flowCompareEventsMax");
  const events: FlowEvent[] = [];
  let bytes = 0;
  for (let last: number | undefined; ;) {
    const after = last === undefined ? {} : { after: [id, last] };
    const rows = await database.read(scope, ({ records }) => records.range(FLOW_JOURNAL, { prefix: [id], limit: BATCHES, ...after }));
    for (const { value } of rows) {
      bytes += JSON.stringify(value.events).length;
      if (events.length + value.events.length > max || bytes > bytesMax) return { events, bytes, isCut: true };
      events.push(...value.events);
    }
    if (rows.length < BATCHES) return { events, bytes, isCut: false };
    last = Number(rows.at(-1)?.key[1]);
  }
}

export async function programsOf(
  { definitions }: Pick<UpkeepParts, "definitions">,
  scope: Scope,
  flow: string,
  versions: readonly string[],
): Promise<ReadonlyMap<string, FlowProgram>> {
  const programs = new Map<string, FlowProgram>();
  for (const version of new Set(versions)) programs.set(version, await definitions.program(scope, flow, version));
  return programs;
}

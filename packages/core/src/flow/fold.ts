/**
 * State and journal. The state of a run is the fold of its journal; a snapshot is its text, and going on from one is the same as going
 * on from the events that made it.
 */
import { assert } from "../assert.ts";
import { limit } from "../limits.ts";
import type { FlowEvent } from "./events.ts";
import { moveRun } from "./move-run.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";

/** Events that were refused do not belong in a journal; they change nothing here. */
export function fold(program: FlowProgram, events: Iterable<FlowEvent>, from: RunState = NEW_RUN): RunState {
  let state = from;
  for (const event of events) state = transition(program, state, event).state;
  return state;
}

/** Programs of all versions that a journal names. */
export type ProgramOf = (version: string) => FlowProgram;

/** Versions that a run has had, the first one first. */
export function versionsOf(events: Iterable<FlowEvent>): readonly string[] {
  const versions: string[] = [];
  for (const event of events) {
    if (event.kind === "started") versions.push(event.run.version);
    if (event.kind === "moved") versions.push(event.version);
  }
  return versions;
}

/** Folds a journal whose run may have been moved between versions. */
export function foldVersions(
  programOf: ProgramOf,
  events: Iterable<FlowEvent>,
  { from = NEW_RUN, onNote }: { readonly from?: RunState; readonly onNote?: (note: StepNote) => void } = {},
): RunState {
  let state = from;
  for (const event of events) state = applied(programOf, state, event, onNote);
  return state;
}

/** The state after one event. */
export function applied(programOf: ProgramOf, state: RunState, event: FlowEvent, onNote?: (note: StepNote) => void): RunState {
  const version = event.kind === "started" ? event.run.version : state.info?.version;
  if (version === undefined) return state;
  if (event.kind !== "moved") return transition(programOf(version), state, event, onNote === undefined ? {} : { onNote }).state;
  const moved = moveRun({ before: programOf(version), after: programOf(event.version) }, state, event);
  assert(moved.ok, "a run that was moved fits");
  return moved.state;
}

/** What steps did in the order in which they did it, from the start or from a snapshot. */
export function historyOf(program: FlowProgram, events: Iterable<FlowEvent>, from: RunState = NEW_RUN): readonly StepNote[] {
  const notes: StepNote[] = [];
  let state = from;
  for (const event of events) ({ state } = transition(program, state, event, { onNote: (note) => notes.push(note) }));
  return notes;
}

/** Whether so many events have come since the last snapshot that the state is written down. */
export function isSnapshotDue(eventsSinceSnapshot: number): boolean {
  return eventsSinceSnapshot >= limit("flowFoldEvents");
}

export function snapshotOf(state: RunState): string {
  return JSON.stringify(state);
}

/** Of a text that `snapshotOf` made, which only the store of the host has. */
export function stateOfSnapshot(text: string): RunState {
  const state = JSON.parse(text) as RunState;
  assert(state.format === 1, "a snapshot has a format that this version knows");
  return state;
}

/** A recorded run: how it is written and how it is folded again. */
import { createHash } from "node:crypto";
import { checkFlow } from "../../../packages/core/src/flow/check-definition.ts";
import type { Command } from "../../../packages/core/src/flow/commands.ts";
import type { FlowEvent } from "../../../packages/core/src/flow/events.ts";
import { stateOfSnapshot } from "../../../packages/core/src/flow/fold.ts";
import { moveRun } from "../../../packages/core/src/flow/move-run.ts";
import type { StepNote } from "../../../packages/core/src/flow/notes.ts";
import type { FlowProgram } from "../../../packages/core/src/flow/program.ts";
import { NEW_RUN, type RunState } from "../../../packages/core/src/flow/state.ts";
import { transition } from "../../../packages/core/src/flow/transition.ts";
import { reasonsOf } from "../../../packages/core/src/flow/views.ts";
import type { JsonObject } from "../../../packages/core/src/operations/operation.ts";

export interface History {
  readonly format: 1;
  /** The release that wrote it. */
  readonly release: string;
  /** By version. */
  readonly definitions: Readonly<Record<string, JsonObject>>;
  readonly journal: readonly RecordedEvent[];
  /** As it was stored when the run had so many events. */
  readonly snapshot: { readonly events: number; readonly text: string };
  readonly final: { readonly status: string; readonly digest: string };
}

export interface RecordedEvent {
  readonly event: FlowEvent;
  /** Digest of the commands and notes that follow from it. */
  readonly follows: string;
}

export interface Step {
  readonly state: RunState;
  readonly commands: readonly Command[];
  readonly notes: readonly StepNote[];
}

export function programsOf(definitions: History["definitions"]): (version: string) => FlowProgram {
  const programs = new Map<string, FlowProgram>();
  for (const [version, definition] of Object.entries(definitions)) {
    const checked = checkFlow(definition, null);
    if (!checked.ok) throw new Error(`version ${version} is no longer a flow: ${JSON.stringify(checked.findings)}`);
    programs.set(version, checked.program);
  }
  return (version) => {
    const program = programs.get(version);
    if (program === undefined) throw new Error(`the history has no version ${version}`);
    return program;
  };
}

/** Applies one event; throws when the run refuses it. */
export function follow(programOf: (version: string) => FlowProgram, state: RunState, event: FlowEvent): Step {
  const version = event.kind === "started" ? event.run.version : (state.info?.version ?? "");
  if (event.kind === "moved") {
    const moved = moveRun({ before: programOf(version), after: programOf(event.version) }, state, event);
    if (!moved.ok) throw new Error(`the move is refused: ${JSON.stringify(moved.findings)}`);
    return { state: moved.state, commands: [], notes: [] };
  }
  const notes: StepNote[] = [];
  const result = transition(programOf(version), state, event, { onNote: (note) => notes.push(note) });
  if (result.refusal !== null) throw new Error(`${event.kind} is refused: ${result.refusal.message}`);
  return { state: result.state, commands: result.commands, notes };
}

export function followsOf({ commands, notes }: Step): string {
  return digestOf({ commands, notes }).slice(0, 16);
}

export function finalOf(state: RunState): History["final"] {
  const { status } = state;
  const reasons = reasonsOf(state).map(({ code }) => code);
  return { status: status.kind === "ended" ? status.outcome.kind : [status.kind, ...reasons].join(" "), digest: digestOf(state) };
}

export function startOf({ snapshot }: History): RunState {
  return snapshot.events === 0 ? NEW_RUN : stateOfSnapshot(snapshot.text);
}

/** Of what a value says: a field that a later release adds and that says nothing here makes no difference, nor does the order of fields. */
export function digestOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(said(value)) ?? "")
    .digest("hex");
}

function said(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => said(item) ?? null);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const fields = Object.entries(value)
    .map(([name, field]) => [name, said(field)] as const)
    .filter(([, field]) => field !== undefined && JSON.stringify(field) !== "[]" && JSON.stringify(field) !== "{}")
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields);
}

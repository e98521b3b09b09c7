/**
 * Moves a run to another version of its flow, on purpose: one event of its journal, whose state the driver writes down as a snapshot,
 * since folds of one version cannot pass it. `foldVersions` folds the whole journal.
 *
 * M1 What is under way stays: a step that waits keeps its key, its call and its deadline.
 * M2 It fits when every open chain is there, and in it the node at which the run stands, of the same type; of a run that has failed
 *    or was cancelled, where it stood then, so that it can go on with the other version.
 */
import { childPath } from "../manifest/paths.ts";
import { itemsOf } from "./chunked-list.ts";
import type { FlowFinding, NodeId } from "./definition.ts";
import type { FlowEvent } from "./events.ts";
import type { FlowProgram } from "./program.ts";
import type { Compensation, Frame, RunState, StepRecord } from "./state.ts";
import { bytesOf } from "./value.ts";

export type MovedRun = { readonly ok: true; readonly state: RunState } | { readonly ok: false; readonly findings: readonly FlowFinding[] };

export type MovedEvent = FlowEvent & { readonly kind: "moved" };

export interface Versions {
  readonly before: FlowProgram;
  readonly after: FlowProgram;
}

export function moveRun({ before, after }: Versions, state: RunState, { version, atMs }: MovedEvent): MovedRun {
  const refused = whyNotMove(state);
  if (refused !== null) return { ok: false, findings: [finding("", null, refused)] };
  const isEnded = state.status.kind === "ended";
  const open = (isEnded ? (state.saved ?? []) : state.frames).filter((frame) => frame !== null);
  const undoable = isEnded ? [] : itemsOf(state.compensations).filter((item) => item !== null);
  const findings = [
    ...open.flatMap((frame) => misfits(before, after, frame)),
    ...undoable.flatMap((compensation) => misfitsOfUndo(before, after, compensation)),
  ];
  if (findings.length > 0) return { ok: false, findings };
  const move = (frame: Frame | null): Frame | null => (frame === null ? null : movedFrame(before, after, frame));
  const frames = state.frames.map(move);
  const added = newVariables(after, state);
  const bytes =
    state.bytes -
    bytesOfSteps(state.frames) +
    bytesOfSteps(frames) +
    Object.values(added).reduce((sum, value) => sum + bytesOf(value, Infinity), 0);
  const moved: RunState = {
    ...state,
    info: state.info === null ? null : { ...state.info, version },
    events: state.events + 1,
    nowMs: Math.max(state.nowMs, atMs),
    frames,
    saved: savedIn({ before, after }, state)?.map(move) ?? null,
    variables: { ...state.variables, ...added },
    bytes,
  };
  return { ok: true, state: moved };
}

function whyNotMove({ info, status, saved }: RunState): string | null {
  if (info === null) return "The run has not started.";
  if (status.kind === "undoing") return "The run is being undone, which its own version does.";
  if (status.kind !== "ended" || (saved !== null && status.outcome.kind !== "completed")) return null;
  return status.outcome.kind === "completed"
    ? "The run has completed; run the flow again."
    : "What the run did was undone, so it cannot go on; run the flow again.";
}

/** Where a retry would go on; forgotten when the other version has no place for it. */
function savedIn({ before, after }: Versions, { saved }: RunState): RunState["saved"] {
  const fits = saved?.every((frame) => frame === null || misfits(before, after, frame).length === 0) ?? false;
  return fits ? saved : null;
}

function finding(path: string, node: NodeId | null, message: string): FlowFinding {
  return { path, node, message, severity: "error" };
}

function misfits(before: FlowProgram, after: FlowProgram, { chain, node }: Frame): readonly FlowFinding[] {
  const known = after.chains.get(chain);
  if (known === undefined) return [finding("nodes", node, `The run is in the chain \`${chain}\`, which the new version does not have.`)];
  if (node === null) return [];
  const [old, now] = [before.nodes.get(node), after.nodes.get(node)];
  const path = childPath("nodes", node);
  if (now === undefined) return [finding("nodes", node, `The run is at the step \`${node}\`, which the new version does not have.`)];
  if (now.chain !== chain)
    return [finding(path, node, `The run is at the step \`${node}\`, which lies in another chain in the new version.`)];
  if (now.type !== old?.type)
    return [finding(path, node, `The run is at the step \`${node}\`, which has another type in the new version.`)];
  const inner = (old?.inner ?? []).filter(({ id }) => !now.inner.some((other) => other.id === id));
  return inner.map(({ name }) =>
    finding(path, node, `The run is at the step \`${node}\`, which has no chain \`${name}\` in the new version.`),
  );
}

/** Code that undoes a step lies in the definition. */
function misfitsOfUndo(before: FlowProgram, after: FlowProgram, { node, call }: Compensation): readonly FlowFinding[] {
  if (call.kind !== "inline" || after.definition.nodes[node]?.compensate?.type === before.definition.nodes[node]?.compensate?.type)
    return [];
  const message = `What the step \`${node}\` did may have to be undone, and the new version does not have the code that undoes it.`;
  return [finding(childPath("nodes", node), node, message)];
}

/** Results of steps that the new version has, in its order. */
function movedFrame(before: FlowProgram, after: FlowProgram, frame: Frame): Frame {
  const old = before.chains.get(frame.chain)?.nodes ?? [];
  const records = new Map<NodeId, StepRecord | null>(old.map((id, slot) => [id, frame.steps[slot] ?? null]));
  const steps = (after.chains.get(frame.chain)?.nodes ?? []).map((id) => records.get(id) ?? null);
  return { ...frame, steps, bytes: steps.reduce((sum, record) => sum + (record?.bytes ?? 0), 0) };
}

function bytesOfSteps(frames: readonly (Frame | null)[]): number {
  return frames.reduce((bytes, frame) => bytes + (frame?.bytes ?? 0), 0);
}

/** Variables that the old version did not have, as they begin. */
function newVariables({ definition }: FlowProgram, { variables }: RunState): RunState["variables"] {
  const added = Object.entries(definition.variables).filter(([name]) => !Object.hasOwn(variables, name));
  return Object.fromEntries(added.map(([name, { initial }]) => [name, { json: initial }]));
}

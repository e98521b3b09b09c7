/**
 * Moves a running run to another version of its flow, on purpose. The journal before it belongs to the old version: the driver writes
 * the moved state down as a snapshot and goes on from that.
 *
 * M1 What is under way stays: a step that waits keeps its key, its call and its deadline.
 * M2 It fits when every open chain is there, and in it the node at which the run stands, of the same type.
 */
import type { FlowFinding, NodeId } from "./definition.ts";
import { childPath } from "../manifest/paths.ts";
import type { FlowProgram } from "./program.ts";
import type { Frame, RunState, StepRecord } from "./state.ts";
import { bytesOf } from "./value.ts";

export type MovedRun = { readonly ok: true; readonly state: RunState } | { readonly ok: false; readonly findings: readonly FlowFinding[] };

export function moveRun(before: FlowProgram, after: FlowProgram, state: RunState, version: string): MovedRun {
  const { status, info } = state;
  if (info === null || status.kind === "ended" || status.kind === "undoing")
    return { ok: false, findings: [finding("", null, "Only a run that goes on can be moved.")] };
  const frames = state.frames.filter((frame) => frame !== null);
  const findings = frames.flatMap((frame) => misfits(before, after, frame));
  if (findings.length > 0) return { ok: false, findings };
  const moved = state.frames.map((frame) => (frame === null ? null : movedFrame(before, after, frame)));
  const added = newVariables(after, state);
  const bytes =
    state.bytes -
    bytesOfSteps(frames) +
    bytesOfSteps(moved) +
    Object.values(added).reduce((sum, value) => sum + bytesOf(value, Infinity), 0);
  return { ok: true, state: { ...state, info: { ...info, version }, frames: moved, variables: { ...state.variables, ...added }, bytes } };
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

/**
 * A run that failed or was cancelled goes on from one of its steps.
 *
 * R1 Only while nothing was undone: what was undone is not there for the steps that follow.
 * R2 The step gets a new key, so that its effect is not taken for the one of its first execution.
 */
import { must } from "../assert.ts";
import { commandsOf, RUN_TIMER } from "./commands.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, Refusal } from "./events.ts";
import { MAIN_CHAIN } from "./layout.ts";
import type { RunDraft } from "./run-draft.ts";
import type { FlowProgram } from "./program.ts";
import type { Frame, RunState, Wait } from "./state.ts";

type Retried = FlowEvent & { readonly kind: "retried" };

export function whyNotRetry(draft: RunDraft, { node }: Retried): Refusal | null {
  const { status, saved } = draft;
  if (status.kind !== "ended" || status.outcome.kind === "completed") {
    return { code: "notPossible", message: "Only a run that has failed or was cancelled can be retried." };
  }
  if (saved === null) return { code: "notPossible", message: "What the run did was undone, so it cannot go on; run the flow again." };
  if (frameAt(saved, node) !== null || hasRun(draft, saved, node)) return null;
  return { code: "notPossible", message: `The run was never at the step \`${node}\`, or it lies inside a loop or branch that has ended.` };
}

/** The frame that stood at the node. */
function frameAt(saved: readonly (Frame | null)[], node: NodeId): Frame | null {
  return saved.find((frame) => frame !== null && frame.node === node) ?? null;
}

function hasRun(draft: RunDraft, saved: readonly (Frame | null)[], node: NodeId): boolean {
  const known = draft.program.nodes.get(node);
  return known?.chain === MAIN_CHAIN && (saved[0]?.steps[known.slot] ?? null) !== null;
}

/** Where a retry may begin: first where the run stood, then steps before that. Empty when it cannot be retried. */
export function retryNodes(program: FlowProgram, { status, saved }: RunState): readonly NodeId[] {
  if (status.kind !== "ended" || status.outcome.kind === "completed" || saved === null) return [];
  const stood = saved.flatMap((frame) => frame?.node ?? []);
  const at = status.outcome.kind === "failed" ? status.outcome.error.node : null;
  const failed = stood.filter((node) => node === at);
  const main = program.chains.get(MAIN_CHAIN)?.nodes ?? [];
  const run = main.filter((_, slot) => (saved[0]?.steps[slot] ?? null) !== null);
  return [...new Set([...failed, ...stood.toReversed(), ...run])];
}

/** Where the run stood at its end. */
export function standingNodes({ saved }: Pick<RunState, "saved">): readonly NodeId[] {
  return (saved ?? []).flatMap((frame) => frame?.node ?? []);
}

export function retryRun(draft: RunDraft, { node, input }: Retried): void {
  const saved = must(draft.saved, "a retry is possible only with them");
  draft.saved = null;
  draft.status = { kind: "running" };
  draft.deadlineMs = draft.nowMs + draft.program.timeoutMs;
  draft.commands.push({ kind: "startTimer", timer: RUN_TIMER, atMs: draft.deadlineMs });
  const at = frameAt(saved, node);
  if (at === null) {
    const main = must(saved[0], "a run has a main frame");
    draft.restoreFrames([{ ...main, wait: null }]);
    draft.resume({ ...main, wait: null, node, edited: input });
    return;
  }
  draft.restoreFrames(saved.map((frame) => (frame?.id === at.id ? { ...at, wait: null } : frame)));
  for (const frame of draft.framesInside(at.id)) draft.remove(frame);
  draft.resume({ ...draft.frame(at.id), edited: input });
  for (const frame of draft.openFrames()) goOn(draft, frame);
}

/** What was given up beside the step begins again. */
function goOn(draft: RunDraft, frame: Frame): void {
  if (frame.wait === null) {
    if (!draft.ready.includes(frame.id)) draft.ready.push(frame.id);
    return;
  }
  const wait = afresh(frame.wait, draft.nowMs);
  draft.set({ ...frame, wait });
  draft.commands.push(...commandsOf(wait, draft.nodeAt(frame).id, false));
}

/** A call that was cancelled is another attempt; the results of earlier ones are refused. */
function afresh(wait: Wait, nowMs: number): Wait {
  if (wait.kind !== "call" && wait.kind !== "deferred" && wait.kind !== "retry") return wait;
  const { key, attempt, call, timeoutMs } = wait;
  return { kind: "call", key, attempt: attempt + 1, call, timeoutMs, sinceMs: nowMs };
}

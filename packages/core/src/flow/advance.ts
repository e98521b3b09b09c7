/**
 * Lets frames go on: runs their nodes until each of them waits or has ended, and carries out what nodes decide.
 *
 * A1 One transition does a bounded amount of work; what is left is done after a `continue`.
 * A2 This file and those beside it (`settle.ts`, `containers.ts`, `ending.ts`) are the only ones that carry out decisions.
 */
import { limit } from "../limits.ts";
import { ANSWER_ATTEMPT } from "./commands.ts";
import { chainEnded, iterate, openBranches, openEach } from "./containers.ts";
import { decide } from "./decide.ts";
import { momentText } from "./durations.ts";
import { endRun, giveUpInside } from "./ending.ts";
import { stepError } from "./flow-error.ts";
import { load, withoutLoaded } from "./load.ts";
import type { Decision } from "./node-type.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import { failStep, settleStep } from "./settle.ts";
import type { Frame } from "./state.ts";
import { recordValue } from "./value.ts";

const MOVES_MAX = limit("flowMovesMax");
const COST_MAX = limit("flowCostMax");
const STEPS_MAX = limit("flowStepsMax");

/** Until nothing is ready, the run is no longer running, or the transition has done enough. */
export function drive(draft: RunDraft): void {
  for (let i = 0; i < draft.ready.length && draft.status.kind === "running"; i += 1) {
    const frame = draft.frames[draft.ready[i] ?? -1] ?? null;
    if (frame === null || frame.wait !== null || frame.isDetached) continue;
    if (draft.moves >= MOVES_MAX || draft.cost >= COST_MAX) {
      draft.commands.push({ kind: "continue" });
      return;
    }
    draft.moves += 1;
    if (frame.node === null) chainEnded(draft, frame);
    else begin(draft, frame, draft.node(frame.node));
  }
}

function begin(draft: RunDraft, frame: Frame, node: ProgramNode): void {
  draft.steps += 1;
  if (node.inner.length > 0 && frame.loaded === undefined)
    draft.note(frame, { kind: "begun", node: node.id, key: null, attempt: 1, value: null, error: null });
  if (draft.steps > STEPS_MAX) {
    failStep(draft, frame, stepError(node, "limit", `the run has made ${STEPS_MAX} steps; let it end, and go on in another run.`));
    return;
  }
  const [body] = node.inner;
  if (node.decidesInside && body !== undefined) {
    draft.set({ ...frame, wait: { kind: "while", sinceMs: draft.nowMs, iterations: 0 } });
    iterate(draft, draft.open({ chain: body.id, parent: frame.id, place: 0, item: null }), node);
    return;
  }
  const decided = decide(draft, frame, node);
  if (!decided.ok && load(draft, frame, node, decided.needed)) return;
  const clean = withoutLoaded(draft, frame);
  if (decided.ok) carryOut(draft, { frame: clean, node, decision: decided.decision });
  else failStep(draft, clean, decided.error);
}

interface Move {
  readonly frame: Frame;
  readonly node: ProgramNode;
  readonly decision: Decision;
}

function carryOut(draft: RunDraft, { frame, node, decision }: Move): void {
  switch (decision.kind) {
    case "call":
      call(draft, { frame, node, decision });
      return;
    case "output":
      settleStep(draft, frame, node, decision.output, decision.next);
      return;
    case "assign":
      draft.setVariables(decision.values);
      settleStep(draft, frame, node, recordValue(decision.values));
      return;
    case "reply":
      draft.reply = decision.output;
      draft.commands.push({ kind: "reply", output: decision.output });
      settleStep(draft, frame, node, decision.output);
      return;
    case "return":
      draft.note(frame, { kind: "ended", node: node.id, key: null, attempt: 1, value: decision.output, error: null });
      endRun(draft, { kind: "completed", output: decision.output });
      return;
    case "sleep":
      sleep(draft, { frame, node, decision });
      return;
    case "wait":
      waitForAnswer(draft, { frame, node, decision });
      return;
    case "each":
      openEach(draft, { frame, node, decision });
      return;
    case "branches":
      openBranches(draft, { frame, node, decision });
      return;
    case "goBack":
      goBack(draft, { frame, node, decision });
      return;
    case "while":
      return;
  }
}

type MoveOf<Kind extends Decision["kind"]> = Move & { readonly decision: Decision & { readonly kind: Kind } };

function call(draft: RunDraft, { frame, node, decision }: MoveOf<"call">): void {
  const key = draft.newKey(node.id);
  const edited = frame.edited === null ? decision.call : { ...decision.call, input: frame.edited };
  draft.note(frame, { kind: "begun", node: node.id, key, attempt: 1, value: edited.input, error: null });
  const wait = { kind: "call", key, attempt: 1, call: edited, timeoutMs: node.timeoutMs, sinceMs: draft.nowMs } as const;
  draft.wait(frame.edited === null ? frame : { ...frame, edited: null }, wait);
}

function sleep(draft: RunDraft, { frame, node, decision: { untilMs } }: MoveOf<"sleep">): void {
  if (untilMs <= draft.nowMs) {
    settleStep(draft, frame, node, { json: { until: momentText(untilMs) } });
    return;
  }
  const key = draft.newKey(node.id);
  draft.note(frame, { kind: "begun", node: node.id, key, attempt: 1, value: null, error: null });
  draft.wait(frame, { kind: "sleep", key, sinceMs: draft.nowMs, untilMs, timer: `${key}/sleep` });
}

function waitForAnswer(draft: RunDraft, { frame, node, decision }: MoveOf<"wait">): void {
  const { wait, late, deadlineMs: untilMs } = decision;
  const waiting = wait.kind === "signal" ? draft.signals.findIndex(({ name }) => name === wait.name) : -1;
  const signal = draft.signals[waiting];
  if (signal !== undefined) {
    draft.signals = draft.signals.toSpliced(waiting, 1);
    settleStep(draft, frame, node, signal.payload);
    return;
  }
  const key = draft.newKey(node.id);
  draft.note(frame, { kind: "begun", node: node.id, key, attempt: ANSWER_ATTEMPT, value: null, error: null });
  draft.wait(frame, { kind: "answer", key, wait, late, sinceMs: draft.nowMs, untilMs, timer: `${key}/deadline` });
}

function goBack(draft: RunDraft, { frame, node, decision }: MoveOf<"goBack">): void {
  const target = draft.frameOfChain(frame, draft.node(decision.to).chain);
  const times = target.jumps[node.id] ?? 0;
  if (times >= decision.times) {
    if (decision.whenSpent === "continue") settleStep(draft, frame, node, { json: { times } });
    else
      failStep(
        draft,
        frame,
        stepError(node, "loop_bound", `it has gone back ${times} times; correct what keeps failing, or allow more with \`times\`.`),
      );
    return;
  }
  const recorded = draft.record(frame, node, { output: { json: { times: times + 1 } }, error: null });
  draft.note(frame, { kind: "ended", node: node.id, key: null, attempt: 1, value: { json: { times: times + 1 } }, error: null });
  const at = target.id === frame.id ? recorded : target;
  giveUpInside(draft, at);
  draft.resume({ ...at, wait: null, node: decision.to, jumps: { ...at.jumps, [node.id]: times + 1 } });
}

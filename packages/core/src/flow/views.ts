/** Queries on a run: what it does, what it waits for and since when, and what its steps gave. */
import type { CallDescription, WaitDescription } from "./calls.ts";
import type { NodeId } from "./definition.ts";
import { momentText } from "./durations.ts";
import type { StepKey } from "./events.ts";
import type { FlowError } from "./flow-error.ts";
import type { FlowProgram } from "./program.ts";
import type { Compensation, Frame, Outcome, RunState, Wait } from "./state.ts";
import type { FlowValue } from "./value.ts";

export type ReasonCode =
  | "calling"
  | "awaiting_completion"
  | "awaiting_subflow"
  | "retrying"
  | "sleeping"
  | "awaiting_callback"
  | "awaiting_approval"
  | "awaiting_signal"
  | "ready"
  | "paused"
  | "ending_call"
  | "undoing";

/** Why a run is where it is. */
export interface Reason {
  readonly code: ReasonCode;
  /** One sentence. */
  readonly words: string;
  readonly node: NodeId | null;
  readonly key: StepKey | null;
  readonly sinceMs: number;
  /** When it goes on at the latest; null where only the deadline of the run bounds it. */
  readonly untilMs: number | null;
}

export interface StepView {
  readonly node: NodeId;
  readonly chain: string;
  readonly place: number;
  readonly output: FlowValue | null;
  readonly error: FlowError | null;
}

export interface RunView {
  readonly status: "new" | "running" | "waiting" | "paused" | "undoing" | Outcome["kind"];
  readonly outcome: Outcome | null;
  readonly reasons: readonly Reason[];
  readonly deadlineMs: number;
  readonly variables: Readonly<Record<string, FlowValue>>;
  /** Steps with results in the chains that are open. */
  readonly steps: readonly StepView[];
  readonly undone: number;
  readonly undoFailures: readonly FlowError[];
}

export function viewRun(program: FlowProgram, state: RunState): RunView {
  const { status, deadlineMs, variables } = state;
  const outcome = status.kind === "ended" || status.kind === "undoing" ? status.outcome : null;
  return {
    status: statusOf(state),
    outcome,
    reasons: reasonsOf(state),
    deadlineMs,
    variables,
    steps: openFrames(state).flatMap((frame) => stepsOf(program, frame)),
    undone: status.kind === "ended" ? status.undone : status.kind === "undoing" ? status.undoing.done : 0,
    undoFailures: status.kind === "ended" ? status.undoFailures : status.kind === "undoing" ? status.undoing.failures : [],
  };
}

export function statusOf(state: RunState): RunView["status"] {
  const { status } = state;
  switch (status.kind) {
    case "ended":
      return status.outcome.kind;
    case "running": {
      const isActive = openFrames(state).some(({ wait }) => wait === null || wait.kind === "call");
      return isActive ? "running" : "waiting";
    }
    default:
      return status.kind;
  }
}

/** Never empty for a run that has started and not ended. */
export function reasonsOf(state: RunState): readonly Reason[] {
  const { status } = state;
  if (status.kind === "new" || status.kind === "ended") return [];
  const reasons = openFrames(state).flatMap((frame) => reasonOf(frame, state.nowMs) ?? []);
  if (status.kind === "paused") {
    const words = `It was paused by ${status.by}: ${status.reason || "no reason was given"}. It goes on when it is resumed, and fails at ${momentText(state.deadlineMs)}.`;
    return [{ code: "paused", words, node: null, key: null, sinceMs: status.sinceMs, untilMs: null }, ...reasons];
  }
  if (status.kind !== "undoing" || status.undoing.wait === null) return reasons;
  const { wait } = status.undoing;
  const last: Compensation | null = state.compensations.chunks.at(-1)?.at(-1) ?? null;
  const words = `It undoes what the step \`${last?.node ?? ""}\` did, attempt ${wait.attempt}; ${state.compensations.length} steps are left to be undone.`;
  const untilMs = wait.kind === "call" ? wait.sinceMs + wait.timeoutMs : wait.untilMs;
  return [...reasons, { code: "undoing", words, node: last?.node ?? null, key: wait.key, sinceMs: wait.sinceMs, untilMs }];
}

function openFrames(state: RunState): readonly Frame[] {
  return state.frames.filter((frame) => frame !== null);
}

function stepsOf(program: FlowProgram, frame: Frame): readonly StepView[] {
  const nodes = program.chains.get(frame.chain)?.nodes ?? [];
  return nodes.flatMap((node, slot) => {
    const record = frame.steps[slot] ?? null;
    return record === null ? [] : [{ node, chain: frame.chain, place: frame.place, output: record.output, error: record.error }];
  });
}

function reasonOf({ wait, node, isDetached }: Frame, nowMs: number): Reason | null {
  if (wait === null) {
    if (isDetached) return null;
    return { code: "ready", words: `It goes on at ${at(node)}.`, node, key: null, sinceMs: nowMs, untilMs: null };
  }
  const words = wordsOf(wait, node);
  if (words === null) return null;
  const [code, text] = words;
  const untilMs = wait.kind === "call" ? wait.sinceMs + wait.timeoutMs : "untilMs" in wait ? wait.untilMs : null;
  const key = "key" in wait ? wait.key : null;
  if (isDetached) {
    return {
      code: "ending_call",
      words: `It was given up, and ends the call of ${at(node)}, which may have to be undone.`,
      node,
      key,
      sinceMs: wait.sinceMs,
      untilMs,
    };
  }
  return { code, words: text, node, key, sinceMs: wait.sinceMs, untilMs };
}

function at(node: NodeId | null): string {
  return node === null ? "the end of a chain" : `the step \`${node}\``;
}

/** Null for nodes with frames inside: those say it. */
function wordsOf(wait: Wait, node: NodeId | null): readonly [ReasonCode, string] | null {
  switch (wait.kind) {
    case "call":
      return ["calling", `${atStart(node)} waits for ${callText(wait.call)}, attempt ${wait.attempt}.`];
    case "deferred":
      return wait.child === undefined
        ? ["awaiting_completion", `${atStart(node)} waits until ${momentText(wait.untilMs)} for ${callText(wait.call)} to complete.`]
        : ["awaiting_subflow", `${atStart(node)} waits until ${momentText(wait.untilMs)} for ${callText(wait.call)}, run ${wait.child}.`];
    case "retry":
      return [
        "retrying",
        `${atStart(node)} is tried again at ${momentText(wait.untilMs)}, after attempt ${wait.attempt}: ${wait.error.message}`,
      ];
    case "sleep":
      return ["sleeping", `${atStart(node)} sleeps until ${momentText(wait.untilMs)}.`];
    case "answer":
      return [`awaiting_${wait.wait.kind}`, `${atStart(node)} waits until ${momentText(wait.untilMs)} for ${answerText(wait.wait)}.`];
    case "each":
    case "while":
    case "branches":
    case "handler":
      return null;
  }
}

function atStart(node: NodeId | null): string {
  return node === null ? "The end of a chain" : `The step \`${node}\``;
}

function callText(call: CallDescription): string {
  switch (call.kind) {
    case "load":
      return "a stored value that it reads";
    case "operation":
      return `the operation ${call.operation}`;
    case "function":
      return `the function ${call.path}`;
    case "inline":
      return call.language === "python" ? "its Python code" : "its script";
    case "http":
      return "the response of another system";
    case "subflow":
      return `the flow ${call.flow}`;
    case "agent":
      return `the agent ${call.agent}`;
  }
}

function answerText(wait: WaitDescription): string {
  switch (wait.kind) {
    case "callback":
      return "its callback";
    case "approval":
      return `the approval "${wait.title}"`;
    case "signal":
      return `the signal ${wait.name}`;
  }
}

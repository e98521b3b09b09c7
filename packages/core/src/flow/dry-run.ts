/**
 * Runs a flow without its outside: calls and waits get answers that are given beforehand, timers fire at once, and time is what the
 * timers say. For tests of flows and for looking at what a flow would do.
 */
import { outstanding, RUN_TIMER, type Command } from "./commands.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, RunInfo, StepError } from "./events.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { type Frame, NEW_RUN, type RunState, type Wait } from "./state.ts";
import { transition } from "./transition.ts";
import type { FlowValue } from "./value.ts";
import { limit } from "../limits.ts";

/** `late`: nobody answers before the deadline. */
export type MockAnswer =
  | { readonly kind: "output"; readonly output: FlowValue }
  | { readonly kind: "error"; readonly error: StepError }
  | { readonly kind: "late" };

export interface DryRunOptions {
  readonly run: RunInfo;
  readonly trigger: FlowValue;
  readonly atMs: number;
  /** By node, in the order of its calls; the last one answers all that follow. What undoes a node is `<node>/undo`. */
  readonly mocks: Readonly<Record<string, readonly MockAnswer[]>>;
}

export interface DryRun {
  readonly state: RunState;
  readonly journal: readonly FlowEvent[];
  readonly notes: readonly StepNote[];
  /** The node that has no answer; null when the run has ended. */
  readonly unanswered: NodeId | null;
}

export function dryRun(program: FlowProgram, { run, trigger, atMs, mocks }: DryRunOptions): DryRun {
  const journal: FlowEvent[] = [];
  const notes: StepNote[] = [];
  const answered = new Map<string, number>();
  let state = NEW_RUN;
  let event: FlowEvent | null = { kind: "started", atMs, run, trigger };
  let unanswered: NodeId | null = null;
  while (event !== null && journal.length < limit("flowPendingEventsMax")) {
    journal.push(event);
    ({ state } = transition(program, state, event, { onNote: (note) => notes.push(note) }));
    const next = nextEvent(state, (name) => answerOf(mocks, answered, name));
    event = next.event;
    unanswered = next.unanswered;
  }
  return { state, journal, notes, unanswered };
}

function answerOf(mocks: DryRunOptions["mocks"], answered: Map<string, number>, name: string): MockAnswer | null {
  const answers = Object.hasOwn(mocks, name) ? (mocks[name] ?? []) : [];
  const count = answered.get(name) ?? 0;
  answered.set(name, count + 1);
  return answers[Math.min(count, answers.length - 1)] ?? null;
}

interface Next {
  readonly event: FlowEvent | null;
  readonly unanswered: NodeId | null;
}

/** Calls and waits are answered in their order; then the timer that ends first fires. */
function nextEvent(state: RunState, answer: (name: string) => MockAnswer | null): Next {
  if (state.status.kind === "ended") return { event: null, unanswered: null };
  const commands = outstanding(state);
  if (commands.some(({ kind }) => kind === "continue")) return { event: { kind: "continued", atMs: state.nowMs }, unanswered: null };
  for (const asked of [...commands.flatMap((command) => askedByCall(command, state.nowMs)), ...state.frames.flatMap(askedByWait)]) {
    const mock = answer(asked.name);
    if (mock === null) return { event: null, unanswered: asked.node };
    const { key, attempt, untilMs } = asked;
    if (mock.kind === "output")
      return { event: { kind: "completed", atMs: state.nowMs, key, attempt, output: mock.output }, unanswered: null };
    if (mock.kind === "error") return { event: { kind: "failed", atMs: state.nowMs, key, attempt, error: mock.error }, unanswered: null };
    if (asked.timer !== null) return { event: { kind: "timerFired", atMs: untilMs, timer: asked.timer }, unanswered: null };
    const error: StepError = { code: "timeout", message: "it took too long.", retryable: true };
    return { event: { kind: "failed", atMs: untilMs, key, attempt, error }, unanswered: null };
  }
  return { event: firstTimer(commands), unanswered: null };
}

interface Asked {
  /** Of the mock. */
  readonly name: string;
  readonly node: NodeId;
  readonly key: string;
  readonly attempt: number;
  readonly untilMs: number;
  readonly timer: string | null;
}

function askedByCall(command: Command, nowMs: number): readonly Asked[] {
  if (command.kind !== "call") return [];
  const { node, key, attempt, timeoutMs, isUndo } = command;
  return [{ name: isUndo ? `${node}/undo` : node, node, key, attempt, untilMs: nowMs + timeoutMs, timer: null }];
}

function askedByWait(frame: Frame | null): readonly Asked[] {
  const wait: Wait | null = frame?.wait ?? null;
  if (wait?.kind !== "answer" || frame === null || frame.node === null) return [];
  return [{ name: frame.node, node: frame.node, key: wait.key, attempt: 1, untilMs: wait.untilMs, timer: wait.timer }];
}

function firstTimer(commands: readonly Command[]): FlowEvent | null {
  let first: (Command & { readonly kind: "startTimer" }) | null = null;
  for (const command of commands) {
    if (command.kind === "startTimer" && command.timer !== RUN_TIMER && (first === null || command.atMs < first.atMs)) first = command;
  }
  return first === null ? null : { kind: "timerFired", atMs: first.atMs, timer: first.timer };
}

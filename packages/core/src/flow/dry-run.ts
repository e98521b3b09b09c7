/**
 * Runs a flow without its outside: calls and waits get answers that are given beforehand, and time is what they and the timers say. For
 * tests of flows and for looking at what a flow would do.
 *
 * Y1 What comes first in the time of the run happens first; of the same moment, inputs come before answers, and answers before timers.
 * Y2 It ends: after `flowDryRunEventsMax` events at the latest.
 */
import { limit } from "../limits.ts";
import { outstanding, type Command } from "./commands.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, RunInfo, StepError } from "./events.ts";
import { type DryInput, eventOfInput, type MockAnswer, type Mocks } from "./mocks.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { type Frame, NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";
import type { FlowValue } from "./value.ts";

export interface DryRunOptions {
  readonly run: RunInfo;
  readonly trigger: FlowValue;
  readonly atMs: number;
  readonly mocks: Mocks;
  readonly inputs?: readonly DryInput[];
}

export interface DryRunResult {
  readonly state: RunState;
  readonly journal: readonly FlowEvent[];
  readonly notes: readonly StepNote[];
  /** Every attempt of every call, in their order. */
  readonly calls: readonly CallCommand[];
  /** What has no answer; null when the run has ended, or has had too many events. */
  readonly unanswered: Unanswered | null;
  /** Why inputs had no effect. */
  readonly refusals: readonly string[];
}

export interface Unanswered {
  readonly node: NodeId;
  /** Name of the mock that is missing. */
  readonly mock: string;
  /** What the step asks for; null when it waits for somebody. */
  readonly call: CallCommand | null;
  /** There is a mock, which makes the call really. */
  readonly isReal: boolean;
}

export type CallCommand = Command & { readonly kind: "call" };

export type RealAnswer = { readonly kind: "output"; readonly output: FlowValue } | { readonly kind: "error"; readonly error: StepError };

/** Real calls have no answer here. */
export function dryRun(program: FlowProgram, options: DryRunOptions): DryRunResult {
  const run = new DryRun(program, options);
  run.advance();
  return run.result();
}

/** Goes from one real call to the next. */
export class DryRun {
  readonly program: FlowProgram;
  readonly #options: DryRunOptions;
  readonly #journal: FlowEvent[] = [];
  readonly #notes: StepNote[] = [];
  readonly #calls: CallCommand[] = [];
  readonly #refusals: string[] = [];
  readonly #inputs: DryInput[];
  /** How often each mock has answered. */
  readonly #answered = new Map<string, number>();
  /** What was asked for and is open: when its answer comes; null for those that wait for their timer. */
  readonly #answers = new Map<string, FlowEvent | null>();
  #state: RunState = NEW_RUN;
  /** Refused ones as well. */
  #events = 0;
  #unanswered: Unanswered | null = null;

  constructor(program: FlowProgram, options: DryRunOptions) {
    this.program = program;
    this.#options = options;
    this.#inputs = (options.inputs ?? []).toSorted((a, b) => a.afterMs - b.afterMs);
    this.#apply({ kind: "started", atMs: options.atMs, run: options.run, trigger: options.trigger });
  }

  get state(): RunState {
    return this.#state;
  }

  /** It has ended, or goes no further. */
  get isOver(): boolean {
    const isStuck = this.#unanswered !== null && !this.#unanswered.isReal;
    return isStuck || this.#state.status.kind === "ended" || this.#events >= limit("flowDryRunEventsMax");
  }

  /** The next call that has to be made really; null at the end, and after `eventsMax` events. */
  advance(eventsMax = Number.POSITIVE_INFINITY): CallCommand | null {
    for (let count = 0; count < eventsMax && !this.isOver; count += 1) {
      const event = this.#next();
      if (event === null) return this.#unanswered?.isReal === true ? this.#unanswered.call : null;
      this.#apply(event);
    }
    return null;
  }

  /** Of the call that `advance` gave. */
  answer({ key, attempt }: CallCommand, answer: RealAnswer): void {
    this.#unanswered = null;
    this.#apply(eventOf({ key, attempt }, answer, this.#state.nowMs));
  }

  result(): DryRunResult {
    return {
      state: this.#state,
      journal: this.#journal,
      notes: this.#notes,
      calls: this.#calls,
      unanswered: this.#unanswered,
      refusals: this.#refusals,
    };
  }

  #apply(event: FlowEvent): void {
    this.#events += 1;
    // It comes once, also while the run is paused and holds it.
    if ("key" in event) this.#answers.set(nameOf(event), null);
    const { state, commands, refusal } = transition(this.program, this.#state, event, { onNote: (note) => this.#notes.push(note) });
    if (refusal !== null) {
      this.#refusals.push(refusal.message);
      return;
    }
    this.#journal.push(event);
    this.#state = state;
    for (const command of commands) if (command.kind === "call") this.#calls.push(command);
  }

  /** Null when something has no answer that is needed now. */
  #next(): FlowEvent | null {
    const commands = outstanding(this.#state);
    if (commands.some(({ kind }) => kind === "continue")) return { kind: "continued", atMs: this.#state.nowMs };
    const asked = [...commands.flatMap(askedByCall), ...this.#state.frames.flatMap(askedByWait)];
    for (const each of asked) {
      if (this.#answers.has(nameOf(each))) continue;
      const mock = this.#mockOf(each.mock);
      if (mock?.kind === "real" || (mock === null && !this.#isSignalled(each))) {
        const { node, mock: name, call } = each;
        this.#unanswered = { node, mock: name, call, isReal: mock !== null };
        return null;
      }
      this.#answers.set(nameOf(each), mock === null ? null : plannedAnswer(each, mock, this.#state.nowMs));
    }
    return this.#first(asked, commands);
  }

  /** Y1 */
  #first(asked: readonly Asked[], commands: readonly Command[]): FlowEvent | null {
    let first: FlowEvent | null = null;
    const consider = (event: FlowEvent | null): void => {
      if (event !== null && (first === null || event.atMs < first.atMs)) first = event;
    };
    const [input] = this.#inputs;
    const fromOutside = input === undefined ? null : eventOfInput(input, this.#options.atMs + input.afterMs);
    consider(fromOutside);
    for (const each of asked) consider(this.#answers.get(nameOf(each)) ?? null);
    for (const command of commands)
      if (command.kind === "startTimer") consider({ kind: "timerFired", atMs: command.atMs, timer: command.timer });
    if (first === fromOutside) this.#inputs.shift();
    return first;
  }

  /** The signal that it waits for comes. */
  #isSignalled({ signal }: Asked): boolean {
    return signal !== null && this.#inputs.some((input) => input.kind === "signal" && input.name === signal);
  }

  #mockOf(name: string): MockAnswer | null {
    const { mocks } = this.#options;
    const answers = Object.hasOwn(mocks, name) ? (mocks[name] ?? []) : [];
    const count = this.#answered.get(name) ?? 0;
    this.#answered.set(name, count + 1);
    return answers[Math.min(count, answers.length - 1)] ?? null;
  }
}

interface Asked {
  readonly mock: string;
  readonly node: NodeId;
  readonly key: string;
  readonly attempt: number;
  readonly call: CallCommand | null;
  /** Name of the signal that it waits for. */
  readonly signal: string | null;
}

/** A call that is under way while the run is paused, and whose result is held, is asked for no more. */
function askedByCall(command: Command): readonly Asked[] {
  if (command.kind !== "call") return [];
  const { node, key, attempt, isUndo } = command;
  return [{ mock: isUndo ? `${node}/undo` : node, node, key, attempt, call: command, signal: null }];
}

function askedByWait(frame: Frame | null): readonly Asked[] {
  const wait = frame?.wait ?? null;
  if (wait?.kind !== "answer" || frame === null || frame.node === null) return [];
  return [
    {
      mock: frame.node,
      node: frame.node,
      key: wait.key,
      attempt: 1,
      call: null,
      signal: wait.wait.kind === "signal" ? wait.wait.name : null,
    },
  ];
}

function nameOf({ key, attempt }: Pick<Asked, "key" | "attempt">): string {
  return `${key} ${attempt}`;
}

/** Null where the timer of a wait does it. */
function plannedAnswer(asked: Asked, mock: MockAnswer, nowMs: number): FlowEvent | null {
  const timeoutMs = asked.call?.timeoutMs ?? null;
  const afterMs = mock.kind === "output" || mock.kind === "error" ? (mock.afterMs ?? 0) : Infinity;
  if (timeoutMs !== null && afterMs > timeoutMs) {
    const error: StepError = { code: "timeout", message: "it took too long.", retryable: true };
    return eventOf(asked, { kind: "error", error }, nowMs + timeoutMs);
  }
  if (mock.kind === "late" || mock.kind === "real") return null;
  return eventOf(asked, mock, nowMs + afterMs);
}

function eventOf({ key, attempt }: Pick<Asked, "key" | "attempt">, answer: RealAnswer, atMs: number): FlowEvent {
  return answer.kind === "output"
    ? { kind: "completed", atMs, key, attempt, output: answer.output }
    : { kind: "failed", atMs, key, attempt, error: answer.error };
}

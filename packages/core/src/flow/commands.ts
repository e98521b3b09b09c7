/**
 * What the driver has to do after a transition. A command is not written down: the same ones follow from the state (`outstanding`), so
 * that after a crash the driver folds the journal and carries out what is outstanding. Every command may be carried out twice.
 *
 * C1 An event is durable before a command that followed from it reaches the outside. Commands that only compute or read may be
 *    carried out before, so several steps in a row can be driven in memory and written in one commit: if that commit is lost, they
 *    run again with the same keys. What they read may have changed by then, so such a key may come with another call: nobody
 *    outside has seen the first one.
 * C2 A call that is a mutation, or that writes in the host's store, is done in one transaction with its `completed` event and with the
 *    records that the next commands need (timers, child runs): the driver computes the transition inside the transaction. A conflict
 *    aborts all of it together.
 * C3 The key of a call is its idempotency key, in every attempt; it reaches the outside as a header or in the context.
 * C4 Commands are carried out in their order: what is cancelled comes before what is begun.
 */
import type { CallDescription, WaitDescription } from "./calls.ts";
import { itemsOf } from "./chunked-list.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, StepKey } from "./events.ts";
import { type Outcome, placeOf, type RunState, type Wait } from "./state.ts";
import type { FlowValue } from "./value.ts";

export type Command =
  /** Answered by `completed`, `failed` or `deferred`. After `timeoutMs` the driver gives `failed` with the code `timeout`. */
  | {
      readonly kind: "call";
      readonly key: StepKey;
      readonly node: NodeId;
      readonly attempt: number;
      readonly call: CallDescription;
      readonly timeoutMs: number;
      readonly isUndo: boolean;
    }
  /** Nobody waits for its result any longer: it may be ended, and a run that it has begun is cancelled. Its token is worth nothing. */
  | { readonly kind: "cancelCall"; readonly key: StepKey }
  /** Answered by `timerFired`, not before `atMs`. */
  | { readonly kind: "startTimer"; readonly timer: string; readonly atMs: number }
  | { readonly kind: "cancelTimer"; readonly timer: string }
  /** Lets somebody answer with `completed`; signals need nothing. */
  | { readonly kind: "openWait"; readonly key: StepKey; readonly node: NodeId; readonly wait: WaitDescription; readonly untilMs: number }
  | { readonly kind: "closeWait"; readonly key: StepKey }
  /** The agent gets its answer. */
  | { readonly kind: "reply"; readonly output: FlowValue }
  /** The run has more to do than one transition may; answered by `continued`. */
  | { readonly kind: "continue" }
  | { readonly kind: "end"; readonly outcome: Outcome };

export const RUN_TIMER = "run";

/** Waits for an answer of anybody: attempts do not exist for them. */
export const ANSWER_ATTEMPT = 1;

/** What makes a wait happen. */
export function commandsOf(wait: Wait, node: NodeId, isUndo: boolean): readonly Command[] {
  switch (wait.kind) {
    case "call":
      return [{ kind: "call", key: wait.key, node, attempt: wait.attempt, call: wait.call, timeoutMs: wait.timeoutMs, isUndo }];
    case "deferred":
    case "retry":
    case "sleep":
      return [{ kind: "startTimer", timer: wait.timer, atMs: wait.untilMs }];
    case "answer":
      return [
        ...(wait.wait.kind === "signal"
          ? []
          : [{ kind: "openWait", key: wait.key, node, wait: wait.wait, untilMs: wait.untilMs } as const]),
        { kind: "startTimer", timer: wait.timer, atMs: wait.untilMs },
      ];
    case "each":
    case "while":
    case "branches":
    case "handler":
      return [];
  }
}

/** What ends a wait that nobody needs any longer. */
export function commandsToEnd(wait: Wait): readonly Command[] {
  switch (wait.kind) {
    case "call":
      return [{ kind: "cancelCall", key: wait.key }];
    case "deferred":
      return [
        { kind: "cancelCall", key: wait.key },
        { kind: "cancelTimer", timer: wait.timer },
      ];
    case "retry":
    case "sleep":
      return [{ kind: "cancelTimer", timer: wait.timer }];
    case "answer":
      return [
        ...(wait.wait.kind === "signal" ? [] : [{ kind: "closeWait", key: wait.key } as const]),
        { kind: "cancelTimer", timer: wait.timer },
      ];
    case "each":
    case "while":
    case "branches":
    case "handler":
      return [];
  }
}

/** All that has to be under way for this state: what a driver does after it has read a run from the store. */
export function outstanding(state: RunState): readonly Command[] {
  const { status } = state;
  if (status.kind === "new" || status.kind === "ended") return [];
  const commands: Command[] = [];
  if (status.kind !== "undoing") commands.push({ kind: "startTimer", timer: RUN_TIMER, atMs: state.deadlineMs });
  if (state.reply !== null) commands.push({ kind: "reply", output: state.reply });
  const held = state.held.length === 0 ? [] : itemsOf(state.held);
  const isDone = (command: Command): boolean => held.some((event) => event !== null && endsCommand(event, command));
  let canGoOn = false;
  for (const frame of state.frames) {
    if (frame === null) continue;
    if (frame.wait === null) {
      canGoOn ||= !frame.isDetached;
      continue;
    }
    const node = placeOf(state.frames, frame);
    if (node === null) continue;
    for (const command of commandsOf(frame.wait, node, false)) if (held.length === 0 || !isDone(command)) commands.push(command);
  }
  if (status.kind === "undoing" && status.undoing.wait !== null) commands.push(...commandsOf(status.undoing.wait, undoNode(state), true));
  if (canGoOn && status.kind !== "paused") commands.push({ kind: "continue" });
  return commands;
}

/** Whether nothing is left to be done for the command once the event has come, applied or held. */
export function endsCommand(event: FlowEvent, command: Command): boolean {
  switch (event.kind) {
    case "completed":
    case "failed":
      return (command.kind === "call" || command.kind === "openWait") && command.key === event.key;
    case "deferred":
      return command.kind === "call" && command.key === event.key;
    case "timerFired":
      return command.kind === "startTimer" && command.timer === event.timer;
    case "continued":
    case "resumed":
      return command.kind === "continue";
    default:
      return false;
  }
}

function undoNode(state: RunState): NodeId {
  const { length, chunks } = state.compensations;
  return length === 0 ? "" : (chunks.at(-1)?.at(-1)?.node ?? "");
}

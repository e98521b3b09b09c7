/**
 * The engine of flows: (program, state, event) → state, commands. Pure and deterministic.
 *
 * T1 The same program, state and event give the same state and commands; nothing is changed in place.
 * T2 A refused event leaves the state as it is, the very same object, and gives no commands.
 * T3 What the commands of all transitions of a run have begun and not ended is what `outstanding` says of its state.
 * T4 A transition costs the same however long the run is; its own work is bounded (A1).
 */
import { drive } from "./advance.ts";
import { applyEvent, refusalOf } from "./apply-event.ts";
import type { Command } from "./commands.ts";
import type { FlowEvent, Refusal } from "./events.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { RunDraft } from "./run-draft.ts";
import type { RunState } from "./state.ts";

export interface Transition {
  readonly state: RunState;
  readonly commands: readonly Command[];
  /** Why the event was refused; null when it was not. */
  readonly refusal: Refusal | null;
}

export interface TransitionOptions {
  /** Is told what steps do. */
  readonly onNote?: (note: StepNote) => void;
}

export function transition(program: FlowProgram, state: RunState, event: FlowEvent, options: TransitionOptions = {}): Transition {
  const draft = new RunDraft(program, state, event.atMs, options.onNote ?? null);
  const refusal = refusalOf(draft, event);
  if (refusal !== null) return { state, commands: [], refusal };
  applyEvent(draft, event);
  drive(draft);
  return { state: draft.seal(), commands: draft.commands, refusal: null };
}

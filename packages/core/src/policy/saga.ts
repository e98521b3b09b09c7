/**
 * The course of a saga: steps are done in order; after a failure, what was done is undone in reverse. Pure: the caller performs a
 * step, commits its effect together with the state that this file returns, and asks again.
 */
import { assert } from "../assert.ts";

export interface SagaState {
  readonly phase: "doing" | "undoing" | "done" | "undone";
  /** Steps whose effect stands. */
  readonly done: number;
  /** Why it is being undone. */
  readonly reason: string | null;
}

export type SagaMove = { readonly kind: "do" | "undo"; readonly step: number } | { readonly kind: "end" };

export const SAGA_START: SagaState = { phase: "doing", done: 0, reason: null };

/** What has to happen next. */
export function nextMove(state: SagaState): SagaMove {
  switch (state.phase) {
    case "doing":
      return { kind: "do", step: state.done };
    case "undoing":
      return { kind: "undo", step: state.done - 1 };
    case "done":
    case "undone":
      return { kind: "end" };
  }
}

/** The step that `nextMove` named was done. */
export function stepDone(state: SagaState, steps: number): SagaState {
  assert(state.phase === "doing" && state.done < steps, "a step is done while the saga goes on");
  const done = state.done + 1;
  return { ...state, done, phase: done === steps ? "done" : "doing" };
}

/** The step that `nextMove` named failed and left nothing. */
export function stepFailed(state: SagaState, reason: string): SagaState {
  assert(state.phase === "doing", "a step fails while the saga goes on");
  return { ...state, reason, phase: state.done === 0 ? "undone" : "undoing" };
}

/** The step that `nextMove` named was undone. */
export function stepUndone(state: SagaState): SagaState {
  assert(state.phase === "undoing" && state.done > 0, "a step is undone while the saga is being undone");
  const done = state.done - 1;
  return { ...state, done, phase: done === 0 ? "undone" : "undoing" };
}

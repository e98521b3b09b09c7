/** What stands in for the outside of a run: answers of calls and waits, and what happens to it from outside. */
import type { FlowEvent, StepError } from "./events.ts";
import type { FlowValue } from "./value.ts";

export type MockAnswer =
  | { readonly kind: "output"; readonly output: FlowValue; readonly afterMs?: number }
  | { readonly kind: "error"; readonly error: StepError; readonly afterMs?: number }
  /** Nobody answers before the deadline. */
  | { readonly kind: "late" }
  /** The call is made by whoever drives the dry run. */
  | { readonly kind: "real" };

/** By node, in the order of its calls; the last one answers all that follow. What undoes a node is `<node>/undo`. */
export type Mocks = Readonly<Record<string, readonly MockAnswer[]>>;

/** Something that comes to the run by itself, so long after its start. */
export type DryInput =
  | { readonly kind: "signal"; readonly afterMs: number; readonly name: string; readonly payload: FlowValue }
  | { readonly kind: "pause" | "resume" | "cancel"; readonly afterMs: number };

const BY = "the test";

export function eventOfInput(input: DryInput, atMs: number): FlowEvent {
  switch (input.kind) {
    case "signal":
      return { kind: "signalled", atMs, name: input.name, payload: input.payload, by: BY };
    case "pause":
      return { kind: "paused", atMs, by: BY, reason: "" };
    case "resume":
      return { kind: "resumed", atMs, by: BY };
    case "cancel":
      return { kind: "cancelled", atMs, by: BY, reason: "" };
  }
}

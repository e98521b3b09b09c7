/**
 * What happens to a run. The journal of a run is the list of its events and nothing else: commands follow from it (`fold.ts`).
 *
 * J1 An event carries all that its transition needs: the time, and results whose large parts lie in the blob store.
 * J2 Events of a step name its key and its attempt. One that names no open step, or an earlier attempt, is refused: it is late, double
 *    or forged. A refused event changes nothing and does not belong in the journal.
 */
import type { NodeId } from "./definition.ts";
import type { FlowValue } from "./value.ts";

/** Of a step: one execution of one node. Stable over attempts and crashes, and the idempotency key of its effect. */
export type StepKey = string;

/** What a run is, from its start. */
export interface RunInfo {
  readonly id: string;
  readonly flow: string;
  /** Digest of the definition that it keeps. */
  readonly version: string;
  /** What `workflow.company` says. */
  readonly company: { readonly id: string; readonly name: string };
  /** The branch. */
  readonly environment: string;
}

/** What a step is told of a failure; `code` is stable. */
export interface StepError {
  readonly code: string;
  readonly message: string;
  /** Another attempt may succeed: the platform or another system failed, not the author's code. */
  readonly retryable: boolean;
  /** No attempt before this pause (`Retry-After`). */
  readonly retryAfterMs?: number;
}

export type FlowEvent = {
  readonly atMs: number;
  /** Of a change that may be asked for again: it is made once. */
  readonly request?: string;
} & (
  | { readonly kind: "started"; readonly run: RunInfo; readonly trigger: FlowValue }
  /** A call has a result, or a wait has its answer. */
  | { readonly kind: "completed"; readonly key: StepKey; readonly attempt: number; readonly output: FlowValue; readonly by?: string }
  | { readonly kind: "failed"; readonly key: StepKey; readonly attempt: number; readonly error: StepError; readonly by?: string }
  /** A call has answered that its result comes later, by its token, or with the end of the run `child` that it has begun. */
  | {
      readonly kind: "deferred";
      readonly key: StepKey;
      readonly attempt: number;
      readonly deadlineMs: number | null;
      readonly child?: string;
    }
  | { readonly kind: "timerFired"; readonly timer: string }
  | { readonly kind: "signalled"; readonly name: string; readonly payload: FlowValue; readonly by?: string }
  /** Answers the command `continue`. */
  | { readonly kind: "continued" }
  | { readonly kind: "paused"; readonly by: string; readonly reason: string }
  | { readonly kind: "resumed"; readonly by: string }
  | { readonly kind: "cancelled"; readonly by: string; readonly reason: string }
  /** Of a run that has failed or was cancelled: again from `node` on, with another input where one is given. */
  | { readonly kind: "retried"; readonly node: NodeId; readonly input: FlowValue | null; readonly by: string }
  /** From here on the run belongs to another version of its flow (`move-run.ts`): folds of one version end before it. */
  | { readonly kind: "moved"; readonly version: string; readonly by: string }
);

/** Why an event was refused, in words and as a code. */
export interface Refusal {
  readonly code:
    | "notStarted"
    | "startedAlready"
    | "ended"
    | "unknownStep"
    | "oldAttempt"
    | "unknownTimer"
    | "tooEarly"
    | "tooManyPending"
    | "notPossible";
  readonly message: string;
}

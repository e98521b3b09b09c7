/**
 * The state of a run. Plain JSON: its snapshot is its text. Nothing in it changes; a transition makes a new one that shares what stays.
 *
 * S1 A run that is not ended has an open frame, or compensations to do, or both: something that it does, waits for, or can continue.
 * S2 A frame runs one chain and is at one node. `wait` says what it waits for; null means that it can go on.
 * S3 Results of steps lie in the frame of their chain, by slot; values that are large are references.
 */
import type { Json } from "../operations/operation.ts";
import type { CallDescription, WaitDescription } from "./calls.ts";
import type { ChunkedList } from "./chunked-list.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, RunInfo, StepKey } from "./events.ts";
import type { FlowError } from "./flow-error.ts";
import type { FlowValue } from "./value.ts";

export type FrameId = number;

/** What a node gave when it last ran in its frame. */
export interface StepRecord {
  readonly output: FlowValue | null;
  readonly error: FlowError | null;
  readonly bytes: number;
}

export interface LoadedValue {
  readonly digest: string;
  readonly bytes: number;
  readonly json: Json;
}

export interface Frame {
  readonly id: FrameId;
  /** `main`, `error`, or `<node>.<name>`. */
  readonly chain: string;
  /** The frame of the node around it; null for the outermost. */
  readonly parent: FrameId | null;
  /** Position of its item, iteration or branch within that node. */
  readonly place: number;
  /** Of for_each. */
  readonly item: FlowValue | null;
  /** Where it is; null at its end. */
  readonly node: NodeId | null;
  readonly wait: Wait | null;
  readonly steps: readonly (StepRecord | null)[];
  readonly bytes: number;
  /** Output of the last step. */
  readonly last: FlowValue;
  /** Jumps of go_back nodes that lead into this chain, by node. */
  readonly jumps: Readonly<Record<NodeId, number>>;
  /** Input that stands in for the next call's own. */
  readonly edited: FlowValue | null;
  /** Given up, and kept until its call ends, since a compensation may follow from that. */
  readonly isDetached: boolean;
  /** Stored values that were read so that its node can be decided, until it is. */
  readonly loaded?: readonly LoadedValue[];
}

/** The node at which a frame stands; at the end of its chain the loop around it, which decides how it goes on. */
export function placeOf(frames: readonly (Frame | null)[], { node, parent }: Pick<Frame, "node" | "parent">): NodeId | null {
  if (node !== null || parent === null) return node;
  return frames[parent]?.node ?? null;
}

/** `sinceMs`: when the step began to wait so. `timer`: name of the timer that ends it. */
export type Wait =
  /** The driver makes the call. */
  | {
      readonly kind: "call";
      readonly key: StepKey;
      readonly attempt: number;
      readonly call: CallDescription;
      readonly timeoutMs: number;
      readonly sinceMs: number;
    }
  /** The call answered that its result comes later. */
  | {
      readonly kind: "deferred";
      readonly key: StepKey;
      readonly attempt: number;
      readonly call: CallDescription;
      readonly timeoutMs: number;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly timer: string;
      /** The run that completes it. */
      readonly child?: string;
    }
  /** A failed call is made again at `untilMs`. */
  | {
      readonly kind: "retry";
      readonly key: StepKey;
      readonly attempt: number;
      readonly call: CallDescription;
      readonly timeoutMs: number;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly timer: string;
      readonly error: FlowError;
    }
  | { readonly kind: "sleep"; readonly key: StepKey; readonly sinceMs: number; readonly untilMs: number; readonly timer: string }
  | {
      readonly kind: "answer";
      readonly key: StepKey;
      readonly wait: WaitDescription;
      readonly late: NodeId | null;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly timer: string;
    }
  /** Frames inside the node run. */
  | {
      readonly kind: "each";
      readonly sinceMs: number;
      readonly items: FlowValue;
      readonly concurrency: number;
      readonly stopsAtFailure: boolean;
      readonly next: number;
      readonly running: number;
      readonly results: ChunkedList<FlowValue>;
      readonly failed: ChunkedList<FlowValue>;
      readonly bytes: number;
    }
  | { readonly kind: "while"; readonly sinceMs: number; readonly iterations: number }
  | {
      readonly kind: "branches";
      readonly sinceMs: number;
      readonly join: "all" | "any";
      readonly running: number;
      readonly outputs: Readonly<Record<string, FlowValue>>;
      readonly bytes: number;
    }
  /** The flow's error handler runs. */
  | { readonly kind: "handler"; readonly sinceMs: number; readonly error: FlowError };

export type Outcome =
  | { readonly kind: "completed"; readonly output: FlowValue }
  | { readonly kind: "failed"; readonly error: FlowError }
  | { readonly kind: "cancelled"; readonly by: string; readonly reason: string };

/** What is left to be undone, and what came of what was. */
export interface Undoing {
  readonly wait: (Wait & { readonly kind: "call" | "deferred" | "retry" }) | null;
  readonly done: number;
  readonly failures: readonly FlowError[];
}

export type RunStatus =
  | { readonly kind: "new" }
  | { readonly kind: "running" }
  | { readonly kind: "paused"; readonly by: string; readonly reason: string; readonly sinceMs: number }
  /** It has failed or was cancelled; calls in flight end, then compensations run in reverse order. */
  | { readonly kind: "undoing"; readonly outcome: Outcome; readonly undoing: Undoing }
  | {
      readonly kind: "ended";
      readonly outcome: Outcome;
      readonly undone: number;
      readonly undoFailures: readonly FlowError[];
      readonly endedMs: number;
    };

/** Undoes a step that has completed. */
export interface Compensation {
  readonly node: NodeId;
  readonly key: StepKey;
  readonly call: CallDescription;
}

export interface Signal {
  readonly name: string;
  readonly payload: FlowValue;
}

export interface RunState {
  readonly format: 1;
  readonly info: RunInfo | null;
  readonly status: RunStatus;
  /** Events that made it. */
  readonly events: number;
  /** Latest time that an event had: it never goes back. */
  readonly nowMs: number;
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** Steps that have begun, control nodes included. */
  readonly steps: number;
  readonly trigger: FlowValue;
  readonly variables: Readonly<Record<string, FlowValue>>;
  /** By id; ids are given again. */
  readonly frames: readonly (Frame | null)[];
  /** Bytes of values, about. */
  readonly bytes: number;
  readonly compensations: ChunkedList<Compensation>;
  readonly signals: readonly Signal[];
  /** Events that came while it was paused. */
  readonly held: ChunkedList<FlowEvent>;
  /** For the agent that called. */
  readonly reply: FlowValue | null;
  /** Frames as they were when the run failed or was cancelled, for a retry. */
  readonly saved: readonly (Frame | null)[] | null;
}

export const NEW_RUN: RunState = {
  format: 1,
  info: null,
  status: { kind: "new" },
  events: 0,
  nowMs: 0,
  startedMs: 0,
  deadlineMs: 0,
  steps: 0,
  trigger: { json: null },
  variables: {},
  frames: [],
  bytes: 0,
  compensations: { length: 0, chunks: [] },
  signals: [],
  held: { length: 0, chunks: [] },
  reply: null,
  saved: null,
};

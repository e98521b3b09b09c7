/** What steps did, for histories that people read, dry runs and comparisons. Nothing follows from a note. */
import type { NodeId } from "./definition.ts";
import type { StepKey } from "./events.ts";
import type { FlowError } from "./flow-error.ts";
import type { FlowValue } from "./value.ts";

export interface StepNote {
  readonly kind: "begun" | "ended" | "failed" | "retrying" | "undone";
  readonly node: NodeId;
  readonly chain: string;
  /** Item, iteration or branch. */
  readonly place: number;
  readonly atMs: number;
  readonly key: StepKey | null;
  readonly attempt: number;
  /** Of calls that begin: their input; of steps that end: their output. */
  readonly value: FlowValue | null;
  readonly error: FlowError | null;
}

/**
 * One step of a saga. To add one: a file in this folder and its place in `table.ts`. Steps only write rows; what reaches beyond
 * the store is a hook, which is a stored call.
 */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Scope, Transaction } from "../../database/database.ts";
import { SNAP_INS } from "../../database/record-tables.ts";
import type { Engine } from "../../engine/invocation.ts";
import type { Keyrings } from "../../keyrings/keyrings.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { SagaRow, SnapInRow } from "../snap-in-records.ts";

export interface StepContext {
  readonly scope: Scope;
  readonly saga: SagaRow;
  /** As it was when the step began. */
  readonly snapIn: SnapInRow;
  /** The version that the saga ends with, and its manifest. */
  readonly version: string;
  /** Throws when the version cannot be read any more; undoing and closing do without. */
  readonly manifest: Manifest;
  readonly runtime: Runtime;
  readonly engine: Pick<Engine, "enqueue" | "watch">;
  readonly keyrings: Pick<Keyrings, "list">;
  /** Aborts when the host stops: the saga then goes on at the next start. */
  readonly signal: AbortSignal;
}

export interface SagaStep {
  readonly name: string;
  /** What people read while it runs. */
  readonly says: string;
  /** What happens outside of the store; after a crash it may be asked again. Its result goes to `apply`. */
  readonly outside?: (context: StepContext) => Promise<unknown>;
  /** Its effect, in the transaction that notes the progress. Returns what `undo` needs, as JSON. A PlinthError fails the saga. */
  readonly apply: (context: StepContext, transaction: Transaction, found: unknown) => Promise<unknown>;
  /** Takes the effect back. Does not fail but for the platform's reasons. */
  readonly undo: (context: StepContext, transaction: Transaction, left: unknown) => Promise<void>;
}

export const NOTHING_TO_UNDO = (): Promise<void> => Promise.resolve();

/** Changes the row of the snap-in. */
export async function changeSnapIn(
  context: StepContext,
  transaction: Transaction,
  change: (row: SnapInRow) => SnapInRow,
): Promise<SnapInRow> {
  const row = await transaction.records.get(SNAP_INS, [context.snapIn.id]);
  const before = row ?? context.snapIn;
  transaction.records.put(SNAP_INS, [before.id], { ...change(before), updatedMs: context.runtime.nowMs() });
  return before;
}

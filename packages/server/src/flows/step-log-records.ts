/** Rows of the logs of steps. */
import { assert } from "@plinth/core/assert.ts";
import type { LogLine } from "../engine/invocation.ts";

/** What one attempt of a step printed. */
export interface StepLogRow {
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
  readonly lines: readonly LogLine[];
  /** Lines beyond the limits. */
  readonly dropped: number;
}

export function parseStepLog(json: unknown): StepLogRow {
  const row = json as StepLogRow;
  assert(typeof row.key === "string" && Array.isArray(row.lines), "a stored log of a step has its fields");
  return row;
}

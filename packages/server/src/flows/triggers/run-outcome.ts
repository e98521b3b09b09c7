/** A run as the outcome of a call, for those who call a flow as if it were a function: commands and agents. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { InvocationOutcome, InvocationUsage } from "../../engine/invocation.ts";
import type { RunDetail } from "../flows.ts";

/** Calls of steps have records of their own; a run uses nothing besides. */
const NOTHING: InvocationUsage = {
  ...{ queueMs: 0, executionMs: 0, userMs: 0, memoryBytes: 0, attempts: 1, conflicts: 0, coldStart: false, cached: false },
  ...{ databaseReadBytes: 0, databaseWriteBytes: 0, documentsRead: 0, documentsWritten: 0, egressBytes: 0, costNanos: 0 },
};

export function outcomeOf(run: RunDetail, value: Json): InvocationOutcome {
  const { id, flow, version, status, error } = run;
  const head = { id, traceId: id, functionPath: `$flow/${flow}`, version, logs: [], logsDropped: 0, usage: NOTHING };
  if (status !== "failed" && status !== "cancelled") return { ...head, status: "succeeded", valueText: JSON.stringify(value), ts: 0 };
  const detail = error?.message ?? "Nothing more is known.";
  return { ...head, status: "failed", error: plinthError("FlowRunFailed", { run: id, flow, status, detail }) };
}

/** What is told of a run that has no result yet. */
export function pendingOf({ id, status, reason }: RunDetail): Json {
  return { run: id, status, reason: reason?.text ?? null };
}

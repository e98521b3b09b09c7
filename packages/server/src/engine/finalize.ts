/**
 * Last stage: turns what happened into the outcome, counts it, tells those who watch, and frees what the call
 * held. It runs for every call that was accepted, whatever failed before.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "./call-run.ts";
import type { RunResult } from "./execute.ts";
import { storeError } from "./engine-records.ts";
import type { InvocationOutcome, InvocationRecord, InvocationState, InvocationUsage } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";

export function outcomeOf(run: CallRun, result: RunResult): InvocationOutcome {
  const about = {
    id: run.accepted.id,
    functionPath: run.accepted.path,
    version: run.accepted.version.digest,
    logs: run.logs,
    logsDropped: run.logsDropped,
    usage: run.usage(),
  };
  if (result.kind === "replayed") return result.outcome;
  if (result.kind === "succeeded") return { ...about, status: "succeeded", valueText: result.valueText, ts: result.ts };
  return { ...about, status: "failed", error: result.error, ...(result.stack === undefined ? {} : { stack: result.stack }) };
}

/** Whatever was thrown on the way, as an error of the registry. Details of an unexpected one go to the log alone. */
export function registered(parts: EngineParts, run: CallRun, thrown: unknown): PlinthError {
  if (thrown instanceof PlinthError) return thrown;
  parts.telemetry.log.error(
    { invocation: run.accepted.id, function: run.accepted.path, error: thrown },
    "an invocation failed inside the host",
  );
  return plinthError("InternalError", { id: run.accepted.id });
}

export function stateOf(outcome: InvocationOutcome): InvocationState {
  if (outcome.status === "succeeded") return "succeeded";
  return outcome.error.code === "Cancelled" ? "cancelled" : "failed";
}

/** Counts and announces an outcome. */
export function announce(parts: EngineParts, run: CallRun, outcome: InvocationOutcome): void {
  const { accepted } = run;
  parts.telemetry.metrics.finished({
    path: accepted.path,
    kind: accepted.kind,
    source: accepted.request.source,
    ...(outcome.status === "failed" ? { errorCode: outcome.error.code } : {}),
    usage: outcome.usage,
  });
  const state = stateOf(outcome);
  run.changeState(state);
  run.emit({ type: "done", outcome });
  try {
    parts.onFinished?.({ scope: accepted.scope, atMs: parts.runtime.nowMs(), outcome });
  } catch (error) {
    parts.telemetry.log.error({ error }, "a listener of finished invocations failed");
  }
}

/** The record of a call that ended. Results of synchronous calls are not in it: their callers have them. */
export function finishedRecord(
  run: CallRun,
  outcome: InvocationOutcome,
  kept: { readonly nowMs: number; readonly value: boolean },
): InvocationRecord {
  return {
    ...recordHead(run),
    state: stateOf(outcome),
    ...(run.startedMs === undefined ? {} : { startedMs: run.startedMs }),
    finishedMs: kept.nowMs,
    ...(outcome.status === "succeeded" && kept.value ? { valueText: outcome.valueText } : {}),
    ...(outcome.status === "failed"
      ? { error: { ...storeError(outcome.error), ...(outcome.stack === undefined ? {} : { stack: outcome.stack }) } }
      : {}),
    logs: outcome.logs,
    logsDropped: outcome.logsDropped,
    usage: outcome.usage,
    fencingToken: run.fencingToken,
  };
}

/** The record of a call that has not ended. */
export function openRecord(run: CallRun): InvocationRecord {
  return {
    ...recordHead(run),
    state: run.state,
    ...(run.waitReason === undefined ? {} : { waitReason: run.waitReason }),
    ...(run.startedMs === undefined ? {} : { startedMs: run.startedMs }),
    logs: [...run.logs],
    logsDropped: run.logsDropped,
    fencingToken: run.fencingToken,
  };
}

function recordHead(run: CallRun) {
  const { accepted } = run;
  return {
    id: accepted.id,
    tenant: accepted.scope.tenant,
    branch: accepted.scope.branch,
    functionPath: accepted.path,
    kind: accepted.kind,
    version: accepted.version.digest,
    source: accepted.request.source,
    createdMs: accepted.createdMs,
  };
}

/** Usage of a call that did not run, because its result was there already. */
export function cachedUsage(queueMs: number): InvocationUsage {
  return {
    queueMs,
    executionMs: 0,
    userMs: 0,
    memoryBytes: 0,
    attempts: 0,
    conflicts: 0,
    coldStart: false,
    cached: true,
    databaseReadBytes: 0,
    databaseWriteBytes: 0,
    documentsRead: 0,
    documentsWritten: 0,
  };
}

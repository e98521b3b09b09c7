/**
 * Last stage: turns what happened into the outcome and the record of it. It runs for every call that was accepted, whatever
 * failed before; `lifecycle.ts` then hands the outcome to the sinks and to those who watch.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "./call-run.ts";
import type { RunResult } from "./execute.ts";
import { storeError } from "./engine-records.ts";
import type { InvocationOutcome, InvocationRecord, InvocationState, InvocationUsage } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";
import type { InvocationResult } from "./result-sink.ts";

export function outcomeOf(run: CallRun, result: RunResult): InvocationOutcome {
  const about = {
    id: run.accepted.id,
    traceId: run.trace.traceId,
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

/** What is known of a call's end, for the sinks and the record. */
export function resultOf(
  run: CallRun,
  outcome: InvocationOutcome,
  end: { readonly nowMs: number; readonly stored: boolean },
): InvocationResult {
  const { accepted } = run;
  return {
    scope: accepted.scope,
    outcome,
    kind: accepted.kind,
    runtime: accepted.version.runtime ?? "isolate",
    source: accepted.request.source,
    createdMs: accepted.createdMs,
    startedMs: run.startedMs,
    finishedMs: end.nowMs,
    artefacts: run.artefacts,
    stored: end.stored,
  };
}

/** The record of a call that ended. Results of synchronous calls are not in it: their callers have them. */
export function finishedRecord(
  result: InvocationResult,
  kept: { readonly fencingToken: number; readonly value: Pick<InvocationRecord, "valueText" | "valueBlob"> },
): InvocationRecord {
  const { outcome, scope } = result;
  return {
    id: outcome.id,
    ...scope,
    functionPath: outcome.functionPath,
    kind: result.kind,
    version: outcome.version,
    source: result.source,
    traceId: outcome.traceId,
    createdMs: result.createdMs,
    state: stateOf(outcome),
    ...(result.startedMs === undefined ? {} : { startedMs: result.startedMs }),
    finishedMs: result.finishedMs,
    ...kept.value,
    ...(outcome.status === "failed"
      ? { error: { ...storeError(outcome.error), ...(outcome.stack === undefined ? {} : { stack: outcome.stack }) } }
      : {}),
    ...(result.artefacts.length === 0 ? {} : { artefacts: result.artefacts }),
    logs: outcome.logs,
    logsDropped: outcome.logsDropped,
    usage: outcome.usage,
    fencingToken: kept.fencingToken,
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
    traceId: run.trace.traceId,
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
    egressBytes: 0,
    costNanos: 0,
  };
}

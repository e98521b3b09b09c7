/**
 * One run of a scheduled function. Mutations run until they succeed or fail of themselves, exactly once: their
 * `success` is in their own transaction. Actions run at most once: they are marked before they start.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "../engine/call-run.ts";
import { atDepth } from "../engine/cause-depth.ts";
import type { InvocationOutcome, InvocationRequest } from "../engine/invocation.ts";
import { DUE_TIMES } from "../database/record-tables.ts";
import type { Scope } from "../database/database.ts";
import type { SchedulerParts } from "./create-scheduler.ts";
import type { Due } from "./due-times.ts";
import { nextAttempt } from "./next-attempt.ts";
import type { JobRow } from "./schedule-records.ts";
import { dueKey, finishJob, postponeJob, readJob, startJob, type JobEnd, type StartedJob } from "./scheduled-functions.ts";

export async function runJob(parts: SchedulerParts, due: Due, signal: AbortSignal): Promise<void> {
  const job = await parts.database.read(due.scope, (transaction) => readJob(transaction, due));
  if (job === undefined) return await forgetDue(parts, due);
  const { row } = job;
  if (row.kind === "action") {
    if (row.state === "inProgress") return await end(parts, due, { kind: "failed", error: "The host stopped while the action ran." });
    if (!(await parts.database.update(due.scope, (transaction) => startJob(transaction, due)))) return;
  }
  try {
    await settle(parts, due, { row, outcome: await run(parts, due, { job, signal }) });
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    await settleRejected(parts, due, { row, error });
  }
}

async function run(
  parts: SchedulerParts,
  due: Due,
  { job, signal }: { readonly job: StartedJob; readonly signal: AbortSignal },
): Promise<InvocationOutcome> {
  return await parts.engine.run(
    scheduledRequest(due.scope, { path: job.row.path, argsText: job.argsText, source: "schedule" }, job.row.causeDepth),
    {
      signal,
      patient: true,
      onRun: (callRun: CallRun) => {
        callRun.scheduledFunctionId = due.id;
      },
      hooks: {
        begin: async (transaction) => {
          if (!(await startJob(transaction, due))) throw plinthError("StaleLease", {});
          return undefined;
        },
        commit: async (transaction) => {
          await finishJob(transaction, { id: due.id, end: { kind: "success" }, nowMs: parts.runtime.nowMs() });
        },
      },
    },
  );
}

/** A due row whose job is gone or stands at another time. */
async function forgetDue(parts: SchedulerParts, due: Due): Promise<void> {
  await parts.database.update(due.scope, async (transaction) => {
    if ((await readJob(transaction, due)) === undefined)
      transaction.records.delete(DUE_TIMES, dueKey(due.scope, due.dueMs, "function", due.id));
  });
}

/** What an outcome means for the job. */
async function settle(
  parts: SchedulerParts,
  due: Due,
  ended: { readonly row: JobRow; readonly outcome: InvocationOutcome },
): Promise<void> {
  const { row, outcome } = ended;
  if (outcome.status === "succeeded") {
    if (row.kind === "action") return await end(parts, due, { kind: "success" });
    parts.telemetry.metrics.scheduledRun("function", "success");
    return;
  }
  const { error } = outcome;
  if (row.kind === "mutation" && error.code === "ShuttingDown") return;
  // Cancelled: by its owner, then the job is gone and nothing is put off; or with its tenant's runners.
  if (row.kind === "mutation" && (error.spec.fault === "platform" || error.code === "Cancelled"))
    return await postpone(parts, due, { row, error });
  await end(parts, due, { kind: "failed", error: outcome.stack === undefined ? error.message : `${error.message}\n${outcome.stack}` });
}

/** The function was not run at all: a later run repeats nothing. */
async function settleRejected(
  parts: SchedulerParts,
  due: Due,
  ended: { readonly row: JobRow; readonly error: PlinthError },
): Promise<void> {
  const { error } = ended;
  if (error.code === "StaleLease" || error.code === "ShuttingDown") return;
  if (error.code === "Cancelled") return await postpone(parts, due, ended);
  if (error.spec.fault === "platform") return await postpone(parts, due, ended);
  await end(parts, due, { kind: "failed", error: error.message });
}

async function end(parts: SchedulerParts, due: Due, jobEnd: JobEnd): Promise<void> {
  const ended = await parts.database.update(due.scope, (transaction) =>
    finishJob(transaction, { id: due.id, end: jobEnd, nowMs: parts.runtime.nowMs() }),
  );
  parts.telemetry.metrics.scheduledRun("function", ended ? jobEnd.kind : "canceled");
}

async function postpone(parts: SchedulerParts, due: Due, failed: { readonly row: JobRow; readonly error: PlinthError }): Promise<void> {
  const next = nextAttempt(failed.row, failed.error, parts.runtime);
  await parts.database.update(due.scope, (transaction) => postponeJob(transaction, { id: due.id, ...next }));
  parts.telemetry.metrics.scheduledRun("function", "retried");
}

/** A call that nobody waits for. */
export function scheduledRequest(
  scope: Scope,
  call: { readonly path: string; readonly argsText: string; readonly source: "schedule" | "cron" },
  causeDepth?: number,
): InvocationRequest {
  return { ...scope, ...call, actor: atDepth({ kind: "schedule", scopes: [] }, causeDepth), internalAllowed: true, priority: "background" };
}

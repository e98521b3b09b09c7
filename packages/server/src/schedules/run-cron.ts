/** One run of a cron. The rules are in `cron-runs.ts`. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { SchedulerParts } from "./create-scheduler.ts";
import { finishCron, isCurrent, postponeCron, startCron, type CronRun } from "./cron-runs.ts";
import type { Due } from "./due-times.ts";
import { nextAttempt } from "./next-attempt.ts";
import { scheduledRequest } from "./run-job.ts";

export async function runCron(parts: SchedulerParts, due: Due, signal: AbortSignal): Promise<void> {
  const { metrics } = parts.telemetry;
  const start = await parts.database.update(due.scope, (transaction) =>
    startCron(transaction, { name: due.id, dueMs: due.dueMs, nowMs: parts.runtime.nowMs() }),
  );
  if (start.kind === "abandoned") metrics.scheduledRun("cron", "failed");
  if (start.kind !== "run") return;
  if (start.skipped > 0) metrics.scheduledRun("cron", "skipped", start.skipped);
  await runStarted(parts, due, { run: start.run, signal });
}

async function runStarted(
  parts: SchedulerParts,
  due: Due,
  { run, signal }: { readonly run: CronRun; readonly signal: AbortSignal },
): Promise<void> {
  let committed = false;
  try {
    const outcome = await parts.engine.run(
      scheduledRequest(due.scope, { path: run.row.path, argsText: run.row.argsText, source: "cron" }),
      {
        signal,
        patient: true,
        hooks: {
          begin: async (transaction) => {
            if (!(await isCurrent(transaction, run))) throw plinthError("StaleLease", {});
            return undefined;
          },
          commit: async (transaction) => {
            await finishCron(transaction, { run, end: { state: "success" }, nowMs: parts.runtime.nowMs() });
            committed = true;
          },
        },
      },
    );
    if (outcome.status === "failed") return await failed(parts, due, { run, error: outcome.error, started: true });
    if (!committed) await end(parts, due, { run, end: { state: "success" } });
    else parts.telemetry.metrics.scheduledRun("cron", "success");
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    await failed(parts, due, { run, error, started: false });
  }
}

/** Conflicts and failures before the start are tried again; whatever else went wrong ends this run. */
async function failed(
  parts: SchedulerParts,
  due: Due,
  failure: { readonly run: CronRun; readonly error: PlinthError; readonly started: boolean },
): Promise<void> {
  const { run, error, started } = failure;
  if (error.code === "StaleLease") return await end(parts, due, { run, end: { state: "canceled" } });
  const mayRepeat = error.code === "OptimisticConcurrencyControlFailure" || (!started && error.spec.fault === "platform");
  if (!mayRepeat)
    return await end(parts, due, { run, end: { state: error.code === "Cancelled" ? "canceled" : "failed", error: error.message } });
  await parts.database.update(due.scope, (transaction) =>
    postponeCron(transaction, { run, ...nextAttempt(run.row, error, parts.runtime) }),
  );
  parts.telemetry.metrics.scheduledRun("cron", "retried");
}

async function end(parts: SchedulerParts, due: Due, ended: Omit<Parameters<typeof finishCron>[1], "nowMs">): Promise<void> {
  await parts.database.update(due.scope, (transaction) => finishCron(transaction, { ...ended, nowMs: parts.runtime.nowMs() }));
  parts.telemetry.metrics.scheduledRun("cron", ended.end.state);
}

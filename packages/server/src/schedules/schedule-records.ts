/** Rows of schedules, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { CronSchedule } from "@plinth/core/schedules/crons.ts";

/** A scheduled function that has not ended. Its arguments are in its `_scheduled_functions` document. */
export interface JobRow {
  readonly path: string;
  readonly kind: "mutation" | "action";
  /** When it runs next: its time, or the end of a pause. */
  readonly dueMs: number;
  readonly state: "pending" | "inProgress";
  /** Runs that ended in a conflict, and in another failure of the platform. */
  readonly conflicts: number;
  readonly failures: number;
  /** Of the one who scheduled it. */
  readonly causeDepth?: number;
}

/** A cron of the version at the head. */
export interface CronRow {
  readonly name: string;
  readonly path: string;
  /** JSON text of the arguments object. */
  readonly argsText: string;
  readonly schedule: CronSchedule;
  /** First run; intervals count from it. */
  readonly anchorMs: number;
  /** The run that comes next, or that is in progress. */
  readonly runMs: number;
  /** Where its due row stands: `runMs`, or the end of a pause. */
  readonly dueMs: number;
  readonly state: "pending" | "inProgress";
  readonly conflicts: number;
  readonly failures: number;
}

/** One run of a cron, or several in a row that were missed. */
export interface CronRunRow {
  readonly state: "success" | "failed" | "canceled" | "skipped";
  readonly startedMs?: number;
  readonly finishedMs: number;
  readonly error?: string;
  /** Of skipped runs: how many, and the last one's time. */
  readonly count?: number;
  readonly lastMs?: number;
}

export function parseJobRow(json: unknown): JobRow {
  const row = json as JobRow;
  assert(typeof row.path === "string" && typeof row.dueMs === "number" && typeof row.state === "string", "a stored job has its fields");
  return row;
}

export function parseCronRow(json: unknown): CronRow {
  const row = json as CronRow;
  assert(
    typeof row.name === "string" &&
      typeof row.argsText === "string" &&
      typeof row.dueMs === "number" &&
      typeof row.schedule.kind === "string",
    "a stored cron has its fields",
  );
  return row;
}

export function parseCronRunRow(json: unknown): CronRunRow {
  const row = json as CronRunRow;
  assert(typeof row.state === "string" && typeof row.finishedMs === "number", "a stored cron run has its fields");
  return row;
}

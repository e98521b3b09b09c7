/** What followers of logs see of invocations: of those that just ended, and of those whose records are kept. */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { INVOCATIONS } from "../database/record-tables.ts";
import type { InvocationOutcome, InvocationRecord } from "../engine/invocation.ts";
import { describeFailure } from "./convex/call-function.ts";
import type { FinishedInvocation } from "./invocation-feed.ts";

export function finishedInvocation(atMs: number, outcome: InvocationOutcome): FinishedInvocation {
  const { id, functionPath, logs, logsDropped } = outcome;
  const failure = outcome.status === "failed" ? { failure: describeFailure(outcome.error, outcome.stack) } : {};
  return { id, functionPath, atMs, logs, logsDropped, ...failure };
}

/** The last stored invocations of a branch that have ended, oldest first. */
export async function recentInvocations(database: Database, scope: Scope): Promise<readonly FinishedInvocation[]> {
  // Ids begin with the time, so the last keys are the latest invocations.
  const rows = await database.read(scope, ({ records }) =>
    records.range(INVOCATIONS, { prefix: [], order: "desc", limit: limit("logStreamPastMax") }),
  );
  return rows
    .map((row) => row.value)
    .filter((record) => record.finishedMs !== undefined && (record.logs.length > 0 || record.error !== undefined))
    .map(fromRecord)
    .toReversed();
}

function fromRecord(record: InvocationRecord): FinishedInvocation {
  const { id, functionPath, logs, logsDropped, error } = record;
  const stack = error?.stack === undefined ? "" : `\n${error.stack}`;
  const failure = error === undefined ? {} : { failure: `${error.message}${stack}` };
  return { id, functionPath, atMs: record.finishedMs ?? record.createdMs, logs, logsDropped, ...failure };
}

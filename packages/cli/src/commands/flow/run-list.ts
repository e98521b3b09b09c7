/** `plinth flow runs`: runs and why they wait. */
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { note, print, printJson, progress, table } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { listOf, numberOf, text, whyText } from "./json-parts.ts";
import { timeText } from "./times.ts";

const STATUSES = ["running", "waiting", "paused", "undoing", "completed", "failed", "cancelled"] as const;
const SHOWN = 100;

interface RunsOptions {
  readonly status?: readonly string[];
  readonly why?: string;
  readonly stuck?: boolean;
  readonly max: string;
}

export function addRunList(group: Command): void {
  group
    .command("runs")
    .description("Show runs and why they wait, the newest first")
    .argument("[flow]", "runs of this flow alone")
    .option("--status <status...>", STATUSES.join(", "))
    .option("--why <code>", "code of the reason why they wait, or of their error, such as awaiting_approval or timeout")
    .option("--stuck", "runs that have something to do which nobody does, or a time that is past by more than a minute")
    .option("--max <count>", "show at most so many", String(SHOWN))
    .action(async (flow: string | undefined, options: RunsOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const max = Number(options.max);
      if (!Number.isInteger(max) || max < 1) throw new CommandFailure("--max is a number of runs, such as 100.", 4);
      const wrong = options.status?.find((name) => !STATUSES.some((known) => known === name));
      if (wrong !== undefined) throw new CommandFailure(`There is no status ${wrong}; it is one of ${STATUSES.join(", ")}.`, 4);
      const connection = findConnection(globals);
      const found = await progress("looking for runs", () => findRuns(connection, { flow, options, max }));
      // Of a flow that was deleted some runs may still be there; without any, its name may be wrong.
      if (found.runs.length === 0 && flow !== undefined) await call(connection, `/v1/flows/${encodeURIComponent(flow)}`);
      if (globals.json === true) return printJson({ runs: found.runs });
      if (found.runs.length === 0) return note(isFiltered(options) ? "No run is like that." : "There are no runs.");
      show(found.runs);
      if (found.hasMore) note(`There are more; \`--max ${max * 10}\` shows older ones.`);
    });
}

interface Wanted {
  readonly flow: string | undefined;
  readonly options: RunsOptions;
  readonly max: number;
}

async function findRuns(
  connection: Connection,
  { flow, options, max }: Wanted,
): Promise<{ readonly runs: readonly Json[]; readonly hasMore: boolean }> {
  const runs: Json[] = [];
  const { status, why, stuck } = options;
  const query = new URLSearchParams(flow === undefined ? {} : { flow });
  if (status !== undefined) query.set("status", status.join(","));
  if (why !== undefined) query.set("reason", why);
  if (stuck === true) query.set("stuck", "true");
  for (;;) {
    const page = await call(connection, `/v1/flow-runs?${query.toString()}`);
    for (const run of listOf(page, "runs")) {
      if (runs.length === max) return { runs, hasMore: true };
      runs.push(run);
    }
    const next = text(page, "next");
    if (next === "") return { runs, hasMore: false };
    query.set("after", next);
  }
}

function isFiltered({ status, why, stuck }: RunsOptions): boolean {
  return status !== undefined || why !== undefined || stuck === true;
}

function show(runs: readonly Json[]): void {
  const rows = runs.map((run) => [
    ...[text(run, "id"), text(run, "flow"), timeText(numberOf(run, "startedMs")).slice(0, 19), text(run, "status")],
    whyText(run),
  ]);
  const headings = ["RUN", "FLOW", "STARTED", "STATUS", "WHY"];
  const all = table(headings, rows);
  const columns = process.stdout.columns;
  if (!process.stdout.isTTY || all.split("\n").every((line) => line.length <= columns)) return print(all);
  // Where a sentence does not fit beside its run it stands below it.
  const short = table(
    headings.slice(0, 4),
    rows.map((row) => row.slice(0, 4)),
  );
  short.split("\n").forEach((line, at) => {
    print(line);
    const why = rows[at - 1]?.[4] ?? "";
    if (why !== "") print(`  ${why}`);
  });
}

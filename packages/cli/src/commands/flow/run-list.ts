/** `plinth flow runs`: runs and why they wait. */
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { note, print, printJson, progress, table } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { listOf, numberOf, part, text, whyText } from "./json-parts.ts";
import { timeText } from "./times.ts";

const STATUSES = ["running", "waiting", "paused", "undoing", "completed", "failed", "cancelled"] as const;
const SHOWN = 100;

interface RunsOptions {
  readonly status?: readonly string[];
  readonly why?: string;
  readonly max: string;
}

export function addRunList(group: Command): void {
  group
    .command("runs")
    .description("Show runs and why they wait, the newest first")
    .argument("[flow]", "runs of this flow alone")
    .option("--status <status...>", STATUSES.join(", "))
    .option("--why <code>", "code of the reason why they wait, or of their error, such as awaiting_approval or timeout")
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
  const query = new URLSearchParams(flow === undefined ? {} : { flow });
  for (;;) {
    const page = listOf(await call(connection, `/v1/flow-runs?${query.toString()}`), "runs");
    for (const run of page) {
      if (!isWanted(run, options)) continue;
      if (runs.length === max) return { runs, hasMore: true };
      runs.push(run);
    }
    const last = text(page.at(-1), "id");
    if (last === "") return { runs, hasMore: false };
    query.set("after", last);
  }
}

function isWanted(run: Json, { status, why }: RunsOptions): boolean {
  const codes = [text(part(run, "reason"), "code"), text(part(run, "error"), "code")];
  return (status === undefined || status.includes(text(run, "status"))) && (why === undefined || codes.includes(why));
}

function isFiltered({ status, why }: RunsOptions): boolean {
  return status !== undefined || why !== undefined;
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

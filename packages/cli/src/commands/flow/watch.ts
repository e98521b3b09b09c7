/** `plinth flow watch`: what a run does, until it ends. */
import { styleText } from "node:util";
import type { Command } from "commander";
import { failureOf, send, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { readEvents } from "../../event-stream.ts";
import { CommandFailure } from "../../failure.ts";
import { note, print, printable, printJson } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { listOf, numberOf, part, runPath, text, whyText } from "./json-parts.ts";
import { printedLine, StepLines } from "./step-lines.ts";

export function addWatch(group: Command): void {
  group
    .command("watch")
    .description("Show what the steps of a run did and do and what their code prints, until it ends; exit code 1 when it fails")
    .argument("<run>")
    .action(async (run: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      await watchRun(findConnection(globals), run, globals);
    });
}

const TRIES = 30;
const PAUSE_MS = 1000;

/** Goes on where it was when the connection is lost. */
export async function watchRun(connection: Connection, run: string, globals: GlobalOptions): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const watching = { connection, run, globals, lines: new StepLines(), printed: new Map<string, number>(), signal: stop.signal };
  let cursor = 0;
  for (let tries = 0; tries < TRIES && !stop.signal.aborted;) {
    const seen = await watchOnce(watching, cursor);
    if (seen.end !== null) return finish(seen.end, globals);
    if (stop.signal.aborted) return;
    if (seen.cursor === cursor && tries === 0) note("the host does not answer; trying again …");
    if (seen.cursor > cursor && tries > 0) note("the host answers again");
    tries = seen.cursor > cursor ? 0 : tries + 1;
    cursor = seen.cursor;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  if (!stop.signal.aborted) throw new CommandFailure(`The host was lost. The run goes on when it is back: plinth flow watch ${run}`, 7);
}

interface Watching {
  readonly connection: Connection;
  readonly run: string;
  readonly globals: GlobalOptions;
  readonly lines: StepLines;
  /** How many lines of each step were shown. */
  readonly printed: Map<string, number>;
  readonly signal: AbortSignal;
}

/** Until the stream ends, which it does with the run or the connection. */
async function watchOnce(
  { connection, run, globals, lines, printed, signal }: Watching,
  after: number,
): Promise<{ readonly cursor: number; readonly end: Json | null }> {
  let cursor = after;
  try {
    const response = await send(connection, `${runPath(run, "state")}?after=${after}`, { accept: "text/event-stream", signal });
    if (!response.ok) throw failureOf(response.status, (await response.json().catch(() => undefined)) as Json | undefined);
    for await (const { event, data } of readEvents(response)) {
      const json = JSON.parse(data) as Json;
      cursor = numberOf(json, "cursor");
      if (globals.json === true) printJson({ event, ...(json as { readonly [name: string]: Json }) });
      if (event === "end") return { cursor, end: part(json, "run") ?? null };
      if (globals.json === true) continue;
      if (event === "step") print(lines.line(part(json, "step") ?? null));
      if (event === "print") showPrints(part(json, "print") ?? null, printed);
      if (event === "run") showState(part(json, "run") ?? null);
    }
  } catch (error) {
    // A host that is away for a moment is tried again; what it refuses is final.
    const isLost = error instanceof CommandFailure && error.exitCode === 7 && after > 0;
    if (!signal.aborted && !isLost) throw error;
  }
  return { cursor, end: null };
}

/** Those that were not shown before the connection was lost. */
function showPrints(prints: Json, printed: Map<string, number>): void {
  const [id, from, lines] = [text(prints, "id"), numberOf(prints, "from"), listOf(prints, "lines")];
  const known = printed.get(id) ?? 0;
  for (const line of lines.slice(Math.max(0, known - from))) print(printedLine(text(prints, "node"), line));
  printed.set(id, Math.max(known, from + lines.length));
}

function showState(run: Json): void {
  const why = whyText(run);
  if (why !== "") process.stdout.write(`${styleText("dim", printable(`${text(run, "status")}: ${why}`))}\n`);
}

function finish(run: Json, globals: GlobalOptions): void {
  const status = text(run, "status");
  if (status === "failed" || status === "cancelled") {
    const what = status === "failed" ? "failed" : "been cancelled";
    throw new CommandFailure(`The run has ${what}. ${text(part(run, "error"), "message")}`.trim(), 1);
  }
  if (globals.json !== true) process.stdout.write(`${styleText("green", "✓")} ${printable(status)}\n`);
}

/** `plinth flow run` and `rerun`. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { note, print, printJson, progress } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { jsonArgument, readJson, showFindings } from "./flow-files.ts";
import { listOf, textsOf, numberOf, part, runPath, text, whyText } from "./json-parts.ts";
import { durationText } from "./times.ts";
import { watchRun } from "./watch.ts";

/** How long a wait for the end of a run lasts; the run goes on after it. */
const WAIT_MS = 60_000;

interface RunOptions {
  readonly detach?: boolean;
  readonly watch?: boolean;
  readonly idempotencyKey?: string;
  readonly dry?: boolean;
  readonly mocks?: string;
  readonly version?: string;
  readonly now?: string;
}

export function addRun(group: Command): void {
  group
    .command("run")
    .description("Start a run and wait for its end")
    .argument("<flow>", "name of the flow; with --dry, also a file with a definition")
    .argument("[input]", "JSON that its expressions see as `trigger`, or @file", "{}")
    .option("--detach", "print the run's id and return at once")
    .option("--watch", "show its steps as they come")
    .option("--idempotency-key <key>", "a second start with the key is the same run")
    .option("--dry", "call nothing: answers come from --mocks, time is simulated, nothing is stored")
    .option("--mocks <file>", "with --dry: JSON object of answers by node; {} when absent")
    .option("--version <version>", "with --dry: of another version than the head")
    .option("--now <time>", "with --dry: when the run begins, such as 2030-01-31T09:00:00Z")
    .action(async (flow: string, input: string, options: RunOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = jsonArgument(input, "The input");
      if (options.dry === true) return await dryRun(globals, { flow, input: json, options });
      const wrong = (["mocks", "version", "now"] as const).find((name) => options[name] !== undefined);
      if (wrong !== undefined) throw new CommandFailure(`--${wrong} has an effect with --dry alone.`, 4);
      await start(globals, { flow, input: json, options });
    });
  group
    .command("rerun")
    .description("Start a new run with what another one was given, in the version of now")
    .argument("<run>")
    .option("--input <json>", "in place of its input, or @file")
    .option("--watch", "show its steps as they come")
    .action(async (run: string, options: { readonly input?: string; readonly watch?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const body = options.input === undefined ? {} : { input: jsonArgument(options.input, "The input") };
      const json = await call(connection, runPath(run, "rerun"), { body });
      if (options.watch === true) return await watchRun(connection, text(json, "id"), globals);
      if (globals.json === true) printJson(json);
      else print(text(json, "id"));
    });
}

interface Asked {
  readonly flow: string;
  readonly input: Json;
  readonly options: RunOptions;
}

async function start(globals: GlobalOptions, { flow, input, options }: Asked): Promise<void> {
  const connection: Connection = findConnection(globals);
  const isDetached = options.detach === true || options.watch === true;
  const key = options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey };
  const body = { input, ...key, ...(isDetached ? {} : { waitMs: WAIT_MS }) };
  const endMs = Date.now() + WAIT_MS;
  const begun = await call(connection, `/v1/flows/${encodeURIComponent(flow)}/runs`, { body });
  const json = isDetached ? begun : await untilItRests(connection, begun, endMs);
  if (options.watch === true) return await watchRun(connection, text(json, "id"), globals);
  if (globals.json === true) printJson(json);
  const status = text(json, "status");
  if (isDetached) {
    if (globals.json !== true) print(text(json, "id"));
    return;
  }
  if (status === "failed" || status === "cancelled")
    throw new CommandFailure(
      `The run ${text(json, "id")} has ${status === "failed" ? "failed" : "been cancelled"}. ${text(part(json, "error"), "message")}`,
      1,
    );
  if (globals.json === true) return;
  if (status === "completed") printJson(part(json, "output") ?? null);
  else {
    const id = text(json, "id");
    note(`run ${id}: ${whyText(json) || "it goes on"}\n\`plinth flow watch ${id}\` shows how it goes on.`);
  }
}

const PAUSE_MS = 300;

/** Pauses before the next attempt, and others that end soon, are waited for; what needs somebody is not. */
async function untilItRests(connection: Connection, begun: Json, endMs: number): Promise<Json> {
  const id = text(begun, "id");
  let run = begun;
  if (!goesOnBy(run, endMs)) return run;
  return await progress(`run ${id}: ${whyText(run)}`, async (update) => {
    while (goesOnBy(run, endMs) && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      run = await call(connection, runPath(id));
      update(`run ${id}: ${whyText(run) || text(run, "status")}`);
    }
    return run;
  });
}

/** By itself: it works, or waits for a time before `endMs`. */
function goesOnBy(run: Json, endMs: number): boolean {
  const [status, reason] = [text(run, "status"), part(run, "reason")];
  if (status === "running" || status === "undoing") return true;
  const isOwn = ["retrying", "sleeping", "calling", "ready"].includes(text(reason, "code"));
  return status === "waiting" && isOwn && numberOf(reason, "untilMs") < endMs;
}

async function dryRun(globals: GlobalOptions, { flow, input, options }: Asked): Promise<void> {
  const isFile = flow.endsWith(".json") || existsSync(flow);
  const version = options.version === undefined ? {} : { version: options.version };
  const body = {
    ...(isFile ? { definition: readJson(flow) } : { flow, ...version }),
    input,
    mocks: options.mocks === undefined ? {} : readJson(options.mocks),
    ...(options.now === undefined ? {} : { now: options.now }),
  };
  const json = await call(findConnection(globals), "/v1/flows/dry-run", { body });
  if (globals.json === true) printJson(json);
  showFindings(json, { isQuiet: globals.json === true, outcome: "nothing was run" });
  const report = part(json, "report");
  const status = text(report, "status");
  if (globals.json !== true) showReport(json, report);
  if (status === "completed") return;
  const why = text(part(report, "unanswered"), "message") || text(part(report, "error"), "message");
  throw new CommandFailure(why || `The dry run is ${status}.`, 1);
}

function showReport(json: Json, report: Json | undefined): void {
  for (const line of listOf(json, "logs")) note(`[${text(line, "level").toUpperCase()}] ${text(line, "text")}`);
  note(`path: ${textsOf(report, "path").join(" → ")}`);
  for (const made of listOf(report, "calls")) {
    const target = text(made, "target");
    note(`call: ${text(made, "node")}${target === "" ? "" : ` ${target}`} ${JSON.stringify(part(made, "input") ?? null)}`);
  }
  const undone = listOf(report, "undone");
  if (undone.length > 0) note(`undone: ${undone.map(String).join(", ")}`);
  note(`${text(report, "status")} after ${durationText(numberOf(report, "elapsedMs"))} of its own time`);
  if (text(report, "status") === "completed") printJson(part(report, "output") ?? null);
}

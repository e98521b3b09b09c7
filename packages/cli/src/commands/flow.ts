import { readFileSync } from "node:fs";
import { call, field, type Json } from "../client.ts";
import { findConnection, type Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { lockFlow } from "../flow-dependencies/lock-flow.ts";
import { showLock } from "../flow-dependencies/shown-lock.ts";
import { note, print, printJson, progress, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

/** How long a wait for the end of a run lasts; the run goes on after it. */
const WAIT_MS = 60_000;

export const flow: AddCommand = (program) => {
  const group = program.command("flow").description("Flows: steps that run one after the other, across restarts");
  group
    .command("check")
    .description("Say what is wrong with a definition")
    .argument("<file>", "JSON file with the definition")
    .action(async (file: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/flows/check", { body: { definition: readJson(file) } });
      if (globals.json === true) printJson(json);
      showFindings(json, globals);
      if (globals.json !== true) success(`${file} can be published`);
    });
  group
    .command("publish")
    .description("Publish a definition: new runs get it")
    .argument("<file>", "JSON file with the definition")
    .option("--note <text>", "for people")
    .option("--update", "find the packages that its code names again, in place of those of its lock")
    .action(async (file: string, options: { readonly note?: string; readonly update?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const written = readJson(file);
      const locked = await progress("looking for packages", (update) =>
        lockFlow(findConnection(globals), written, { isUpdate: options.update === true, update }),
      );
      showLock(locked);
      const body = { definition: locked.definition, ...(options.note === undefined ? {} : { note: options.note }) };
      const json = await call(findConnection(globals), "/v1/flows", { body });
      if (globals.json === true) printJson(json);
      showFindings(json, globals);
      const version = part(json, "version");
      if (globals.json !== true)
        success(`${field(version, "flow") ?? ""} is published as ${(field(version, "version") ?? "").slice(0, 12)}`);
    });
  group
    .command("run")
    .description("Start a run and wait for its end")
    .argument("<flow>", "name of the flow")
    .argument("[input]", "JSON that its expressions see as `trigger`", "{}")
    .option("--detach", "print the run's id and return at once")
    .action((name: string, input: string, options: { readonly detach?: boolean }, command) =>
      start(command.optsWithGlobals(), { name, input: parseJson(input, "The input"), isDetached: options.detach === true }),
    );
  group
    .command("list")
    .description("Show flows")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/flows");
      if (globals.json === true) return printJson(json);
      const rows = listOf(json, "flows").map((row) => [
        text(row, "name"),
        text(row, "trigger"),
        text(row, "version").slice(0, 12),
        onText(row),
      ]);
      print(table(["FLOW", "TRIGGER", "VERSION", "RUNS"], rows));
    });
  group
    .command("runs")
    .description("Show runs and why they wait, the newest first")
    .argument("[flow]", "runs of this flow alone")
    .action(async (name: string | undefined, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const query = name === undefined ? "" : `?flow=${encodeURIComponent(name)}`;
      const json = await call(findConnection(globals), `/v1/flow-runs${query}`);
      if (globals.json === true) return printJson(json);
      const rows = listOf(json, "runs").map((row) => [text(row, "id"), text(row, "flow"), text(row, "status"), whyText(row)]);
      print(table(["RUN", "FLOW", "STATUS", "WHY"], rows));
    });
  group
    .command("logs")
    .description("Show what the steps of a run did")
    .argument("<run>")
    .action(async (run: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const steps = await history(findConnection(globals), run);
      if (globals.json === true) return printJson({ steps });
      const rows = steps.map((row) => [timeText(row), text(row, "node"), text(row, "kind"), text(part(row, "error"), "message")]);
      print(table(["TIME", "STEP", "WHAT", "WHY"], rows));
    });
  group
    .command("retry")
    .description("Let a run that failed or was cancelled go on from a node")
    .argument("<run>")
    .argument("<node>")
    .option("--input <json>", "in place of what the node would be given")
    .action(async (run: string, node: string, options: { readonly input?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const body = { node, ...(options.input === undefined ? {} : { input: parseJson(options.input, "The input") }) };
      const json = await call(findConnection(globals), `/v1/flow-runs/${encodeURIComponent(run)}/retry`, { body });
      if (globals.json === true) return printJson(json);
      success(`the run goes on at ${node}`);
    });
};

/** All pages. */
async function history(connection: Connection, run: string): Promise<Json[]> {
  const steps: Json[] = [];
  for (let after: Json = 0; typeof after === "number";) {
    const page = await call(connection, `/v1/flow-runs/${encodeURIComponent(run)}/history?after=${after}`);
    steps.push(...listOf(page, "steps"));
    after = part(page, "next") ?? null;
  }
  return steps;
}

interface Start {
  readonly name: string;
  readonly input: Json;
  readonly isDetached: boolean;
}

async function start(globals: GlobalOptions, { name, input, isDetached }: Start): Promise<void> {
  const connection: Connection = findConnection(globals);
  const body = { input, ...(isDetached ? {} : { waitMs: WAIT_MS }) };
  const json = await call(connection, `/v1/flows/${encodeURIComponent(name)}/runs`, { body });
  if (globals.json === true) printJson(json);
  const status = text(json, "status");
  if (isDetached) {
    if (globals.json !== true) print(text(json, "id"));
    return;
  }
  if (status === "failed" || status === "cancelled")
    throw new CommandFailure(`The run ${text(json, "id")} has ${status}. ${text(part(json, "error"), "message")}`, 1);
  if (globals.json === true) return;
  if (status === "completed") printJson(part(json, "output") ?? null);
  else note(`run ${text(json, "id")}: ${whyText(json) || "it goes on"}`);
}

/** Fails when one of them is an error. */
function showFindings(json: Json, globals: GlobalOptions): void {
  const findings = listOf(json, "findings");
  if (globals.json !== true) for (const finding of findings) note(`${text(finding, "severity")}: ${text(finding, "message")}`);
  const errors = findings.filter((finding) => text(finding, "severity") === "error").length;
  if (errors > 0) throw new CommandFailure(`The definition has ${errors} ${errors === 1 ? "error" : "errors"}; nothing was published.`, 4);
}

function readJson(file: string): Json {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch {
    throw new CommandFailure(`There is no file ${file} that can be read.`, 4);
  }
  return parseJson(content, file);
}

function parseJson(content: string, what: string): Json {
  try {
    return JSON.parse(content) as Json;
  } catch (error) {
    throw new CommandFailure(`${what} is not JSON (${error instanceof Error ? error.message : String(error)}).`, 4);
  }
}

function part(json: Json | undefined, name: string): Json | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return (json as { readonly [name: string]: Json | undefined })[name];
}

function listOf(json: Json, name: string): readonly Json[] {
  const list = part(json, name);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}

function text(json: Json | undefined, name: string): string {
  return field(json, name) ?? "";
}

function onText(row: Json): string {
  return part(row, "isOn") === true ? "on" : "off";
}

/** Why it waits, or failed. */
function whyText(row: Json): string {
  return text(part(row, "reason"), "text") || text(part(row, "error"), "message");
}

function timeText(row: Json): string {
  const atMs = part(row, "atMs");
  return typeof atMs === "number" ? new Date(atMs).toISOString().slice(0, 19).replace("T", " ") : "";
}

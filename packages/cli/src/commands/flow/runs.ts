/** `plinth flow list`, `versions`, `on`, `off`, `show` and `logs`. */
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { print, printJson, success, table } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { listOf, textsOf, numberOf, part, runPath, text } from "./json-parts.ts";
import { printedLine, StepLines } from "./step-lines.ts";
import { durationText, timeText } from "./times.ts";

export function addRuns(group: Command): void {
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
        part(row, "isOn") === true ? "on" : "off",
      ]);
      print(table(["FLOW", "TRIGGER", "VERSION", "RUNS"], rows));
    });
  group
    .command("versions")
    .description("Show the publications of a flow, the newest first")
    .argument("<flow>")
    .action(async (flow: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), `/v1/flows/${encodeURIComponent(flow)}`);
      if (globals.json === true) return printJson(part(json, "versions") ?? null);
      const rows = listOf(json, "versions").map((row) => [
        String(numberOf(row, "seq")),
        text(row, "version").slice(0, 12),
        timeText(numberOf(row, "createdMs")).slice(0, 19),
        text(row, "note"),
      ]);
      print(table(["NUMBER", "VERSION", "PUBLISHED", "NOTE"], rows));
    });
  for (const state of ["on", "off"] as const) {
    group
      .command(state)
      .description(state === "on" ? "Let runs of a flow begin again" : "Let no run of a flow begin; those that go on do so")
      .argument("<flow>")
      .action(async (flow: string, _, command) => {
        const globals: GlobalOptions = command.optsWithGlobals();
        const path = `/v1/flows/${encodeURIComponent(flow)}/state`;
        const json = await call(findConnection(globals), path, { method: "PUT", body: { isOn: state === "on" } });
        if (globals.json === true) printJson(json);
        else success(`${flow} is ${state}`);
      });
  }
  group
    .command("show")
    .description("Show where a run stands, why, and with what values")
    .argument("<run>")
    .action(async (run: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const [place, detail] = [await call(connection, runPath(run, "state")), await call(connection, runPath(run))];
      if (globals.json === true) return printJson(Object.assign({}, detail, place));
      showPlace(place);
      showDetail(detail);
    });
  group
    .command("logs")
    .description("Show what the steps of a run did, and what their code printed")
    .argument("<run>")
    .option("--values", "what calls were given, and what steps gave")
    .action(async (run: string, options: { readonly values?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const [steps, prints] = [await history(connection, run), await printed(connection, run)];
      if (globals.json === true) return printJson({ steps, logs: prints });
      showLog(steps, { prints, hasValues: options.values === true });
    });
}

function showPlace(run: Json): void {
  print(`${text(run, "flow")} ${text(run, "id")}`);
  print(`status     ${text(run, "status")}, begun ${timeText(numberOf(run, "startedMs"))}, version ${text(run, "version").slice(0, 12)}`);
  const endedMs = numberOf(run, "endedMs");
  if (endedMs > 0) print(`ended      ${timeText(endedMs)}, after ${durationText(endedMs - numberOf(run, "startedMs"))}`);
  else print(`deadline   ${timeText(numberOf(run, "deadlineMs"))}`);
  const error = text(part(run, "error"), "message");
  if (error !== "") print(`error      ${error}`);
  for (const reason of listOf(run, "reasons")) print(`why        ${text(reason, "words")}`);
  print(`input      ${JSON.stringify(part(run, "input") ?? null)}`);
  print(`variables  ${JSON.stringify(part(run, "variables") ?? {})}`);
  for (const failure of textsOf(run, "undoFailures")) print(`not undone ${failure}`);
  const from = textsOf(run, "retryFrom");
  if (from.length > 0)
    print(`retry      plinth flow retry ${text(run, "id")} --from ${from[0] ?? ""}   (or ${from.slice(1).join(", ") || "no other"})`);
}

/** What a run gave, who may answer it, and which runs belong to it. */
function showDetail(run: Json): void {
  if (text(run, "status") === "completed") print(`output     ${JSON.stringify(part(run, "output") ?? null)}`);
  for (const answer of listOf(run, "answers")) {
    const url = text(answer, "url");
    const who = text(answer, "approver");
    print(`answer     ${text(answer, "node")}${who === "" ? "" : ` by ${who}`}: ${url || `plinth flow answer ${text(run, "id")}`}`);
  }
  const parent = part(run, "parent");
  if (text(parent, "run") !== "") print(`called by  ${text(parent, "run")}, step ${text(parent, "node")}`);
  for (const child of textsOf(run, "children")) print(`calls      ${child}`);
  for (const refused of listOf(run, "refusedAnswers"))
    print(`refused    ${timeText(numberOf(refused, "atMs"))} ${text(refused, "message")}`);
}

interface Shown {
  readonly prints: readonly Json[];
  readonly hasValues: boolean;
}

/** Steps and prints in the order of their times. */
function showLog(steps: readonly Json[], { prints, hasValues }: Shown): void {
  const lines = new StepLines();
  const entries: { readonly atMs: number; readonly text: string }[] = [];
  for (const step of steps) {
    const value = part(step, "value") ?? null;
    const shown = hasValues && value !== null ? `  ${JSON.stringify(value)}` : "";
    entries.push({ atMs: numberOf(step, "atMs"), text: lines.line(step) + shown });
  }
  for (const entry of prints) {
    for (const line of listOf(entry, "lines")) {
      entries.push({ atMs: numberOf(line, "atMs"), text: printedLine(text(entry, "node"), line) });
    }
  }
  for (const entry of entries.toSorted((a, b) => a.atMs - b.atMs)) print(entry.text);
}

/** All pages. */
async function history(connection: Connection, run: string): Promise<Json[]> {
  const steps: Json[] = [];
  for (let after: Json = 0; typeof after === "number";) {
    const page = await call(connection, `${runPath(run, "history")}?after=${after}`);
    steps.push(...listOf(page, "steps"));
    after = part(page, "next") ?? null;
  }
  return steps;
}

async function printed(connection: Connection, run: string): Promise<Json[]> {
  const prints: Json[] = [];
  for (let after = ""; ;) {
    const query = after === "" ? "" : `?after=${encodeURIComponent(after)}`;
    const page = listOf(await call(connection, `${runPath(run, "logs")}${query}`), "steps");
    prints.push(...page);
    after = text(page.at(-1), "cursor");
    if (after === "") return prints;
  }
}

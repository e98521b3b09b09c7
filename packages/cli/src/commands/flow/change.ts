/** `plinth flow pause`, `resume`, `cancel`, `signal`, `answer`, `retry` and `move`: changes of one run. */
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { note, printJson, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { jsonArgument } from "./flow-files.ts";
import { listOf, numberOf, part, runPath, text } from "./json-parts.ts";

const DONE = { pause: "the run is paused", cancel: "the run is cancelled, and what it did is undone where it says how" } as const;

export function addChange(group: Command): void {
  for (const verb of ["pause", "cancel"] as const) {
    group
      .command(verb)
      .description(verb === "pause" ? "Let a run begin nothing more until it is resumed" : "End a run, and undo what it did")
      .argument("<run>")
      .option("--reason <text>", "for people")
      .action(async (run: string, options: { readonly reason?: string }, command) => {
        await change(command.optsWithGlobals(), { run, verb, body: { reason: options.reason ?? "" }, done: DONE[verb] });
      });
  }
  group
    .command("resume")
    .description("Let a run go on that was paused")
    .argument("<run>")
    .action((run: string, _, command) => change(command.optsWithGlobals(), { run, verb: "resume", body: {}, done: "the run goes on" }));
  group
    .command("signal")
    .description("Send a run a signal; it waits in the run until a step takes it")
    .argument("<run>")
    .argument("<name>")
    .argument("[payload]", "JSON, or @file", "null")
    .action((run: string, name: string, payload: string, _, command) => {
      const body = { name, payload: jsonArgument(payload, "The payload") };
      return change(command.optsWithGlobals(), { run, verb: "signal", body, done: `the run has the signal ${name}` });
    });
  addAnswer(group);
  addRetry(group);
  addMove(group);
}

function addAnswer(group: Command): void {
  group
    .command("answer")
    .description("Answer a step that waits for a callback or an approval")
    .argument("<run>")
    .argument("[output]", "JSON, or @file", "null")
    .option("--node <node>", "which step, where several wait")
    .option("--fail <message>", "the step fails with it")
    .option("--code <code>", "code of that failure", "refused")
    .action(async (run: string, output: string, options: AnswerOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const place = await call(connection, runPath(run));
      const waiting = listOf(place, "answers");
      if (numberOf(place, "endedMs") > 0)
        throw new CommandFailure(
          `The run is ${text(place, "status")} and waits for no answer; \`plinth flow logs ${run}\` shows what it did.`,
          4,
        );
      const fitting = waiting.filter((answer) => options.node === undefined || text(answer, "node") === options.node);
      const nodes = [...new Set(fitting.map((answer) => text(answer, "node")))];
      if (nodes.length === 0)
        throw new CommandFailure("No such step of the run waits for an answer; `plinth flow show` says what it waits for.", 4);
      if (nodes.length > 1) throw new CommandFailure(`Several steps wait; name one with --node: ${nodes.join(", ")}.`, 4);
      const token = text(
        fitting.find((answer) => text(answer, "token") !== ""),
        "token",
      );
      if (token === "")
        throw new CommandFailure("This key is not told the token of that answer; use that of an approver, or one with `admin`.", 5);
      const result =
        options.fail === undefined
          ? { output: jsonArgument(output, "The output") }
          : { error: { code: options.code, message: options.fail } };
      const json = await call(connection, "/v1/flow-answers", { body: { token, ...result } });
      if (globals.json === true) printJson(json);
      else success(`the step ${nodes[0] ?? ""} has its answer`);
    });
}

interface AnswerOptions {
  readonly node?: string;
  readonly fail?: string;
  readonly code: string;
}

function addRetry(group: Command): void {
  group
    .command("retry")
    .description("Let a run that failed or was cancelled go on from a node; from where it failed when none is named")
    .argument("<run>")
    .argument("[node]")
    .option("--from <node>", "the same as the argument")
    .option("--input <json>", "in place of what the node would be given, or @file")
    .action(async (run: string, node: string | undefined, options: { readonly from?: string; readonly input?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const named = node ?? options.from ?? (await whereItFailed(globals, run));
      const body = { node: named, ...(options.input === undefined ? {} : { input: jsonArgument(options.input, "The input") }) };
      await change(globals, { run, verb: "retry", body, done: `the run goes on at ${named}` });
    });
}

async function whereItFailed(globals: GlobalOptions, run: string): Promise<string> {
  const place = await call(findConnection(globals), runPath(run, "state"));
  const [first] = listOf(place, "retryFrom");
  if (typeof first === "string") return first;
  const status = text(place, "status");
  throw new CommandFailure(
    `The run is ${status} and has nothing that could be retried; \`plinth flow rerun ${run}\` starts a new one with its input.`,
    4,
  );
}

function addMove(group: Command): void {
  group
    .command("move")
    .description("Move a run to another version of its flow, where that has the steps at which the run stands")
    .argument("<run>")
    .option("--to <version>", "`head`, the number of a publication, or a digest or its beginning", "head")
    .option("--dry-run", "only say whether it fits")
    .action(async (run: string, options: { readonly to: string; readonly dryRun?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), runPath(run, "move"), { body: { to: options.to, dryRun: options.dryRun === true } });
      if (globals.json === true) printJson(json);
      const findings = listOf(json, "findings");
      if (globals.json !== true) for (const finding of findings) note(text(finding, "message"));
      if (findings.length > 0) throw new CommandFailure("The version does not fit the run.", 1);
      const version = text(json, "version").slice(0, 12);
      if (globals.json !== true)
        success(part(json, "moved") === true ? `the run has the version ${version}` : `the version ${version} fits`);
    });
}

interface Change {
  readonly run: string;
  readonly verb: string;
  readonly body: Json;
  readonly done: string;
}

async function change(globals: GlobalOptions, { run, verb, body, done }: Change): Promise<void> {
  const json = await call(findConnection(globals), runPath(run, verb), { body });
  if (globals.json === true) printJson(json);
  else success(done);
}

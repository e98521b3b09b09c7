/** `plinth flow check`, `diff` and `publish`. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { call, field, type Json } from "../../client.ts";
import { findConnection, type Connection } from "../../connection.ts";
import { CommandFailure } from "../../failure.ts";
import { lockFlow } from "../../flow-dependencies/lock-flow.ts";
import { showLock } from "../../flow-dependencies/shown-lock.ts";
import { note, print, printJson, problem, progress, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { type DefinitionFile, readDefinitions } from "./definition-files.ts";
import { readJson, showFindings } from "./flow-files.ts";
import { listOf, numberOf, part, text } from "./json-parts.ts";
import { testsBeside } from "./test-files.ts";

interface PublishOptions {
  readonly note?: string;
  readonly update?: boolean;
  readonly dryRun?: boolean;
  readonly runs?: string;
}

const RUNS = ["--runs <count>", "replay at most so many runs"] as const;

export function addPublish(group: Command): void {
  group
    .command("check")
    .description("Say what is wrong with definitions")
    .argument(...FILES)
    .action(async (paths: readonly string[], _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      await forEach(readDefinitions(paths), { globals, done: "can be published" }, async ({ file, definition }) => {
        const json = await call(connection, "/v1/flows/check", { body: { definition } });
        if (globals.json === true) printJson(json);
        showFindings(json, { isQuiet: globals.json === true, outcome: "it cannot be published" });
        if (globals.json !== true) success(`${file} can be published`);
      });
    });
  group
    .command("diff")
    .description("Replay recorded runs with a definition, dry, and show what would be different; exit code 1 when something is")
    .argument("<file>", "JSON file with the definition")
    .option(...RUNS)
    .action(async (file: string, options: { readonly runs?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      await compare(findConnection(globals), { definition: readJson(file), ...options }, globals);
    });
  group
    .command("publish")
    .description("Publish definitions: new runs get them. Tests that lie beside them are kept with them")
    .argument(...FILES)
    .option("--note <text>", "for people")
    .option("--update", "find the packages that its code names again, in place of those of its lock")
    .option("--dry-run", "publish nothing; replay recorded runs with it and show what would be different, as `flow diff` does")
    .option(...RUNS)
    .action(async (paths: readonly string[], options: PublishOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const done = options.dryRun === true ? "would go the same way" : "are published";
      await forEach(readDefinitions(paths), { globals, done }, async ({ file, definition }) => {
        if (options.dryRun === true) return await compare(connection, { definition, ...options }, globals);
        await publish(connection, { file, definition, options }, globals);
      });
    });
}

const FILES = ["<files...>", "JSON files with definitions, or folders with *.flow.json"] as const;

interface Many {
  readonly globals: GlobalOptions;
  /** What can be said of those that did not fail. */
  readonly done: string;
}

/** One that fails does not keep the others back. */
async function forEach(
  files: readonly DefinitionFile[],
  { globals, done }: Many,
  act: (each: DefinitionFile) => Promise<void>,
): Promise<void> {
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) return await act(only);
  let failed = 0;
  for (const each of files) {
    if (globals.json !== true) note(`${each.file}:`);
    try {
      await act(each);
    } catch (error) {
      // Without a host, and without a key that may do it, there is nothing more to try.
      if (!(error instanceof CommandFailure) || error.exitCode === 7 || error.exitCode === 5) throw error;
      problem(globals.json === true ? `${each.file}: ${error.message}` : error.message);
      failed += 1;
    }
  }
  const count = `${files.length - failed} of ${files.length}`;
  if (failed > 0) throw new CommandFailure(`${count} ${done}.`, 4);
  if (globals.json !== true) success(`${count} ${done}`);
}

interface Publication {
  readonly file: string;
  readonly definition: Json;
  readonly options: PublishOptions;
}

async function publish(connection: Connection, { file, definition, options }: Publication, globals: GlobalOptions): Promise<void> {
  const locked = await progress("looking for packages", (update) =>
    lockFlow(connection, definition, { isUpdate: options.update === true, update }),
  );
  showLock(locked);
  const body = { definition: locked.definition, ...(options.note === undefined ? {} : { note: options.note }) };
  const json = await call(connection, "/v1/flows", { body });
  if (globals.json === true) printJson(json);
  showFindings(json, { isQuiet: globals.json === true, outcome: "nothing was published" });
  const version = part(json, "version");
  const name = field(version, "flow") ?? "";
  if (globals.json !== true) success(`${name} is published as ${(field(version, "version") ?? "").slice(0, 12)}`);
  const tests = testsBeside(file);
  if (!existsSync(tests)) return;
  const kept = await call(connection, `/v1/flows/${encodeURIComponent(name)}/tests`, { method: "PUT", body: { tests: readJson(tests) } });
  if (listOf(kept, "findings").length === 0) {
    if (globals.json !== true) success(`its tests ${tests} are kept with it`);
    return;
  }
  note(`The flow is published; its tests ${tests} were not kept with it:`);
  showFindings(kept, { isQuiet: false, outcome: "correct them and publish again" });
}

interface Compared {
  readonly definition: Json;
  readonly runs?: string;
}

async function compare(connection: Connection, { definition, runs }: Compared, globals: GlobalOptions): Promise<void> {
  const count = runs === undefined ? undefined : Number(runs);
  if (count !== undefined && !Number.isInteger(count)) throw new CommandFailure("--runs is a whole number, such as 50.", 4);
  const body = { definition, ...(count === undefined ? {} : { runs: count }) };
  const json = await progress("replaying runs", () => call(connection, "/v1/flows/compare", { body }));
  const isQuiet = globals.json === true;
  if (isQuiet) printJson(json);
  showFindings(json, { isQuiet, outcome: "no run was replayed" });
  const compared = listOf(json, "runs");
  if (!isQuiet) for (const run of compared) showRun(run);
  const different = compared.filter((run) => listOf(run, "differences").length > 0).length;
  const unfit = compared.filter((run) => listOf(run, "misfits").length > 0).length;
  const cut = part(json, "isCut") === true ? " Other runs were not looked at; --runs replays more." : "";
  const summary = `${compared.length} runs were replayed: ${different} would go another way, ${unfit} could not be moved to it.${cut}`;
  if (different > 0) throw new CommandFailure(summary, 1);
  if (!isQuiet) success(summary);
}

function showRun(run: Json): void {
  const differences = listOf(run, "differences");
  const misfits = listOf(run, "misfits");
  if (differences.length === 0 && misfits.length === 0) return;
  print(`${text(run, "id")} ${text(run, "status")} (${text(run, "version").slice(0, 12)}, ${numberOf(run, "events")} events)`);
  for (const difference of differences) {
    print(`  ${text(difference, "message")}`);
    showValue("was", part(difference, "before"));
    showValue("would be", part(difference, "after"));
  }
  for (const misfit of misfits) print(`  cannot be moved: ${text(misfit, "message")}`);
}

const SHOWN_CHARS = 200;

/** What a step or call was given or gave. */
function showValue(what: string, compared: Json | undefined): void {
  const value = part(part(compared, "value"), "json") ?? part(part(part(compared, "call"), "input"), "json");
  if (value === undefined) return;
  const json = JSON.stringify(value);
  print(`    ${what}: ${json.length > SHOWN_CHARS ? `${json.slice(0, SHOWN_CHARS)}…` : json}`);
}

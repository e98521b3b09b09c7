/** `plinth flow export` and `import`. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { call, type Json } from "../../client.ts";
import { findConnection } from "../../connection.ts";
import { lockFlow } from "../../flow-dependencies/lock-flow.ts";
import { printJson, progress, success } from "../../output.ts";
import type { GlobalOptions } from "../table.ts";
import { readJson, showFindings } from "./flow-files.ts";
import { listOf, part, text } from "./json-parts.ts";

interface ExportOptions {
  readonly version?: string;
  readonly run?: readonly string[];
  readonly out?: string;
}

interface ImportOptions {
  readonly note?: string;
  readonly withoutTests?: boolean;
  readonly dryRun?: boolean;
}

export function addDocuments(group: Command): void {
  group
    .command("export")
    .description("Print a flow as one JSON document: its definition with the lock of its packages, and its tests")
    .argument("<flow>")
    .option("--version <version>", "of another version than the head")
    .option("--run <run...>", "with the history of these runs, for support; it has the values that they were given")
    .option("--out <file>", "write it into a file")
    .action(async (flow: string, options: ExportOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const query = new URLSearchParams();
      if (options.version !== undefined) query.set("version", options.version);
      for (const run of options.run ?? []) query.append("run", run);
      const json = await call(findConnection(globals), `/v1/flows/${encodeURIComponent(flow)}/export?${query.toString()}`);
      if (options.out === undefined) return printJson(json);
      writeFileSync(options.out, `${JSON.stringify(json, null, 2)}\n`);
      success(`${flow} is in ${options.out}`);
    });
  group
    .command("import")
    .description("Publish a flow that was exported, after all of it was checked, its tests included")
    .argument("<file>")
    .option("--note <text>", "for people; that of the export when absent")
    .option("--without-tests", "leave its tests out")
    .option("--dry-run", "only check")
    .action(async (file: string, options: ImportOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const document = withoutTests(readJson(file), options.withoutTests === true);
      // What its lock names is bundled again, from the same versions, where this host does not have it.
      const definition = part(document, "definition") ?? null;
      if (options.dryRun !== true)
        await progress("looking for packages", (update) => lockFlow(connection, definition, { isUpdate: false, update }));
      const body = { document, dryRun: options.dryRun === true, ...(options.note === undefined ? {} : { note: options.note }) };
      const json = await call(connection, "/v1/flows/import", { body });
      const isQuiet = globals.json === true;
      if (isQuiet) printJson(json);
      showFindings(json, { isQuiet, outcome: `nothing was imported${adviceFor(document, json)}` });
      const version = text(part(json, "version"), "version").slice(0, 12);
      const name = text(document, "name");
      if (!isQuiet) success(options.dryRun === true ? `${name} can be imported` : `${name} is imported as ${version}`);
    });
}

function adviceFor(document: Json, json: Json): string {
  if (text(document, "kind") === "" && part(document, "nodes") !== undefined)
    return "; this is a definition as people write it, which `plinth flow publish` takes";
  const isOfTests = listOf(json, "findings").some((finding) => text(finding, "path").startsWith("tests"));
  return isOfTests ? "; --without-tests leaves failing tests out" : "";
}

function withoutTests(document: Json, isWithout: boolean): Json {
  if (!isWithout || typeof document !== "object" || document === null || Array.isArray(document)) return document;
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, name === "tests" ? null : value]));
}

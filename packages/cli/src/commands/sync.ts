import { readFileSync } from "node:fs";
import { call, field, type Json } from "../client.ts";
import { findConnection, type Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { note, print, printJson, progress, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface StartOptions {
  readonly keyring?: string;
  readonly import?: string;
  readonly external?: string;
  readonly mode: string;
  readonly items?: string;
  readonly fromRun?: string;
  readonly detach?: boolean;
}

export const sync: AddCommand = (program) => {
  const group = program.command("sync").description("Extract data from other systems and load it into them");
  group
    .command("start")
    .description("Start a run of a sync unit, or of a new one of a package, and wait for its end")
    .argument("<unit>", "id of a sync unit, or name of an installed package for a new one")
    .option("--keyring <name>", "connection of a new unit")
    .option("--import <slug>", "import of a new unit; the package's only one when absent")
    .option("--external <id>", "external unit, where it is known already")
    .option("--mode <mode>", "initial, incremental or loading", "initial")
    .option("--items <file>", 'loading: JSON file {"<type>": [items]}')
    .option("--from-run <run>", "loading: the items that this run extracted")
    .option("--detach", "print the run's id and return at once")
    .action((unit: string, options: StartOptions, command) => start(command.optsWithGlobals(), unit, options));
  group
    .command("status")
    .description("Show a run with its calls, and why it waits")
    .argument("<run>")
    .action(async (run: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), `/v1/sync/runs/${encodeURIComponent(run)}`);
      if (globals.json === true) return printJson(json);
      for (const line of runLines(json)) print(line);
    });
  group
    .command("list")
    .description("Show sync units, or the runs of one")
    .argument("[unit]")
    .action(async (unit: string | undefined, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      if (unit === undefined) return await listUnits(connection, globals);
      const json = await call(connection, `/v1/sync/units/${encodeURIComponent(unit)}`);
      if (globals.json === true) return printJson(json);
      const rows = listOf(json, "runs").map((run) => [
        text(run, "id"),
        text(run, "mode"),
        text(run, "status"),
        text(run, "phase"),
        text(run, "reason"),
      ]);
      print(table(["RUN", "MODE", "STATUS", "PHASE", "REASON"], rows));
    });
  group
    .command("cancel")
    .description("End a run")
    .argument("<run>")
    .action(async (run: string, _, command) => {
      await call(findConnection(command.optsWithGlobals()), `/v1/sync/runs/${encodeURIComponent(run)}/cancel`, { body: {} });
      success(`${run} is cancelled`);
    });
  group
    .command("units")
    .description("Show the external units that a run found, and choose one with --choose")
    .argument("<run>")
    .option("--choose <id>", "the run goes on with this one")
    .action(async (run: string, options: { choose?: string }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const found = await itemsOf(connection, run, "?type=external_sync_units&limit=1000");
      if (options.choose !== undefined) return await choose(connection, { run, id: options.choose, found: found.items });
      if (globals.json === true) return printJson(found.items.map(({ item }) => item));
      print(
        table(
          ["ID", "NAME"],
          found.items.map(({ item }) => [text(item, "id"), text(item, "name")]),
        ),
      );
    });
  group
    .command("items")
    .description("Print what a run extracted, one item a line")
    .argument("<run>")
    .option("--type <type>", "items of this type only")
    .option("--limit <n>", "at most so many")
    .action(async (run: string, options: { type?: string; limit?: string }, command) => {
      const connection = findConnection(command.optsWithGlobals());
      await printItems(connection, run, options);
    });
  group
    .command("remove")
    .description("Delete a sync unit with its state, mappings and runs")
    .argument("<unit>")
    .option("--yes", "do not ask")
    .action(async (unit: string, options: { yes?: boolean }, command) => {
      const { confirmOrFail } = await import("../confirm.ts");
      await confirmOrFail(`This deletes the sync unit ${unit} with everything that was extracted for it.`, options.yes === true);
      await call(findConnection(command.optsWithGlobals()), `/v1/sync/units/${encodeURIComponent(unit)}`, { method: "DELETE" });
      success(`${unit} is removed`);
    });
};

async function start(globals: GlobalOptions, name: string, options: StartOptions): Promise<void> {
  const connection = findConnection(globals);
  const unit = /^syncunit_[0-9a-f]{32}$/.test(name) ? name : await newUnit(connection, name, options);
  const body = {
    mode: options.mode,
    ...(options.fromRun === undefined ? {} : { fromRun: options.fromRun }),
    ...(options.items === undefined ? {} : { items: itemsFile(options.items) }),
  };
  const run = field(await call(connection, `/v1/sync/units/${unit}/runs`, { body }), "id") ?? "";
  if (options.detach === true) return globals.json === true ? printJson({ unit, run }) : print(run);
  const json = await progress(`running ${run}`, (update) => untilSettled(connection, run, update));
  if (globals.json === true) return printJson(json);
  if (field(json, "status") === "choosing") {
    note(`${run} waits for a choice:`);
    const { items } = await itemsOf(connection, run, "?type=external_sync_units&limit=1000");
    print(
      table(
        ["ID", "NAME"],
        items.map(({ item }) => [text(item, "id"), text(item, "name")]),
      ),
    );
    return note(`\`plinth sync units ${run} --choose <id>\` goes on`);
  }
  for (const line of runLines(json)) print(line);
  if (field(json, "status") !== "done") throw new CommandFailure(`${run} is ${text(json, "status")}. ${text(json, "reason")}`, 1);
}

async function newUnit(connection: Connection, name: string, { keyring, import: slug, external }: StartOptions): Promise<string> {
  const imports = listOf(await call(connection, "/v1/sync/imports"), "imports").filter((each) => text(each, "package") === name);
  const [found] = slug === undefined && imports.length === 1 ? imports : imports.filter((each) => text(each, "slug") === slug);
  if (found === undefined) {
    const slugs = imports.map((each) => text(each, "slug")).join(", ");
    throw new CommandFailure(
      imports.length === 0
        ? `No active package ${name} has an import; \`plinth snap-ins list\` shows what is active.`
        : `Say which import with --import: ${slugs}.`,
      4,
    );
  }
  if (keyring === undefined) throw new CommandFailure("A new sync unit needs a connection: --keyring <name>.", 4);
  const body = {
    snapIn: text(found, "snapInId"),
    import: text(found, "slug"),
    keyring,
    ...(external === undefined ? {} : { external: { id: external } }),
  };
  const unit = field(await call(connection, "/v1/sync/units", { body }), "id") ?? "";
  note(`the new sync unit is ${unit}`);
  return unit;
}

async function untilSettled(connection: Connection, run: string, update: (text: string) => void): Promise<Json> {
  for (;;) {
    const json = await call(connection, `/v1/sync/runs/${run}?wait=true`);
    if (!["calling", "paused"].includes(text(json, "status"))) return json;
    update(`${run}: ${text(json, "waits")}`);
  }
}

async function listUnits(connection: Connection, globals: GlobalOptions): Promise<void> {
  const json = await call(connection, "/v1/sync/units");
  if (globals.json === true) return printJson(json);
  const rows = listOf(json, "units").map((unit) => {
    const { external } = unit as { readonly external?: Json };
    return [text(unit, "id"), text(unit, "importSlug"), text(unit, "keyring"), text(external ?? null, "name"), text(unit, "activeRunId")];
  });
  print(table(["UNIT", "IMPORT", "KEYRING", "EXTERNAL UNIT", "RUNS NOW"], rows));
}

async function choose(
  connection: Connection,
  { run, id, found }: { readonly run: string; readonly id: string; readonly found: readonly { readonly item: Json }[] },
): Promise<void> {
  const chosen = found.find(({ item }) => text(item, "id") === id);
  if (chosen === undefined) throw new CommandFailure(`The run found no external unit with the id ${id}.`, 4);
  const unit = text(await call(connection, `/v1/sync/runs/${encodeURIComponent(run)}`), "unitId");
  const name = text(chosen.item, "name");
  await call(connection, `/v1/sync/units/${unit}/choose`, { body: { external: { id, ...(name === "" ? {} : { name }) } } });
  success(`${run} goes on with ${id}; \`plinth sync status ${run}\` shows how far it is`);
}

async function printItems(
  connection: Connection,
  run: string,
  options: { readonly type?: string; readonly limit?: string },
): Promise<void> {
  let left = options.limit === undefined ? Number.POSITIVE_INFINITY : Number(options.limit);
  if (!(left >= 1)) throw new CommandFailure("--limit is a number from 1.", 4);
  for (let after = ""; ;) {
    const type = options.type === undefined ? "" : `&type=${encodeURIComponent(options.type)}`;
    const page = await itemsOf(connection, run, `?limit=${Math.min(left, 500)}${type}${after}`);
    for (const { type: itemType, item } of page.items) process.stdout.write(`${JSON.stringify({ type: itemType, item })}\n`);
    left -= page.items.length;
    if (page.next === null || left <= 0) return;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

async function itemsOf(connection: Connection, run: string, query: string) {
  const page = await call(connection, `/v1/sync/runs/${encodeURIComponent(run)}/items${query}`);
  return page as unknown as { readonly items: readonly { readonly type: string; readonly item: Json }[]; readonly next: string | null };
}

function runLines(json: Json): readonly string[] {
  const rows = listOf(json, "calls").map((each) => {
    const { counts } = each as { readonly counts?: Json };
    const done = Array.isArray(counts) && counts.length > 0 ? JSON.stringify(counts) : "";
    return [
      text(each, "call"),
      text(each, "phase"),
      text(each, "result"),
      [text(each, "note"), done].filter((part) => part !== "").join(" "),
    ];
  });
  const waits = text(json, "waits");
  const reason = text(json, "reason");
  return [
    `${text(json, "id")} ${text(json, "mode")} ${text(json, "status")}${reason === "" ? "" : `: ${reason}`}`,
    ...(waits === "" ? [] : [waits]),
    table(["CALL", "PHASE", "RESULT", "NOTE"], rows),
  ];
}

function itemsFile(path: string): Json {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Json;
  } catch (error) {
    throw new CommandFailure(`${path} cannot be read as JSON: ${error instanceof Error ? error.message : ""}`, 4);
  }
}

function listOf(json: Json, name: string): readonly Json[] {
  return (json as Readonly<Record<string, readonly Json[]>>)[name] ?? [];
}

/** A field as text; empty where there is none. */
function text(json: Json, name: string): string {
  const value =
    typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Readonly<Record<string, Json>>)[name] : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

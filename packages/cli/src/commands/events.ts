import { call, field, type Json } from "../client.ts";
import { findConnection, type Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { print, printJson, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface PublishOptions {
  readonly at?: string;
  readonly eventKey?: string;
  readonly syncId?: string;
  readonly update?: boolean;
}

const PAGE = 100;

export const events: AddCommand = (program) => {
  const group = program.command("events").description("Events for packages: publish, see what waits, and what could not be delivered");
  group
    .command("publish")
    .description("Publish an event to a source of the type flow-events")
    .argument("<package>", "name of the package, or id of its snap-in")
    .argument("<source>", "name of the event source")
    .argument("<type>", "automations listen to it as custom:<type>")
    .argument("[payload]", "JSON", "{}")
    .option("--at <time>", "when, for example 2030-01-31T09:30:00Z; at once when absent")
    .option("--event-key <key>", "name of the event until its time comes")
    .option("--update", "change the event that waits with the key")
    .option("--sync-id <id>", "events with the same one are delivered in order")
    .action(async (snapIn: string, source: string, type: string, payload: string, options: PublishOptions, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const { at, eventKey, syncId, update } = options;
      const json = await call(findConnection(globals), "/v1/events", {
        body: {
          snapIn,
          source,
          type,
          payload: jsonOf(payload),
          ...(at === undefined ? {} : { publishAt: at }),
          ...(eventKey === undefined ? {} : { key: eventKey }),
          ...(syncId === undefined ? {} : { syncId }),
          ...(update === true ? { updateIfExists: true } : {}),
        },
      });
      if (globals.json === true) return printJson(json);
      success(`the event ${field(json, "key") ?? ""} is ${at === undefined ? "published" : `published at ${at}`}`);
    });
  group
    .command("unschedule")
    .description("Take an event back that waits for its time")
    .argument("<package>", "name of the package, or id of its snap-in")
    .argument("<source>", "name of the event source")
    .argument("<key>")
    .action(async (snapIn: string, source: string, key: string, _, command) => {
      const query = new URLSearchParams({ snapIn, source, key }).toString();
      await call(findConnection(command.optsWithGlobals()), `/v1/events?${query}`, { method: "DELETE" });
      success(`the event ${key} is taken back`);
    });
  group
    .command("waiting")
    .description("Show what waits to be delivered, and why")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/events/waiting");
      if (globals.json === true) return printJson(json);
      const rows = rowsOf(json, "waiting").map((row) => [
        field(row, "automation") ?? "",
        String((row as { readonly count?: number }).count ?? ""),
        field(row, "reason") ?? "",
      ]);
      print(table(["AUTOMATION", "EVENTS", "WAITS FOR"], rows));
    });
  const letters = group.command("dead-letters").description("Events that an automation could not take");
  letters
    .command("list")
    .description("Show all")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const all = await allDeadLetters(findConnection(globals));
      if (globals.json === true) return printJson({ deadLetters: all });
      const rows = all.map((row) => [
        field(row, "id") ?? "",
        field(row, "automation") ?? "",
        field((row as { readonly event?: Json }).event ?? null, "type") ?? "",
        field((row as { readonly error?: Json }).error ?? null, "message") ?? "",
      ]);
      print(table(["ID", "AUTOMATION", "EVENT", "ERROR"], rows));
    });
  letters
    .command("show")
    .description("Show one with its event")
    .argument("<id>")
    .action(async (id: string, _, command) => {
      printJson(await call(findConnection(command.optsWithGlobals()), pathOf(id)));
    });
  letters
    .command("replay")
    .description("Deliver again")
    .argument("[id]")
    .option("--all", "all that there are")
    .action(async (id: string | undefined, options: { all?: boolean }, command) => {
      const connection = findConnection(command.optsWithGlobals());
      const ids = await idsOf(connection, { id, all: options.all });
      for (const each of ids) await call(connection, `${pathOf(each)}/replay`, { method: "POST" });
      success(ids.length === 1 ? `${ids[0] ?? ""} is delivered again` : `${ids.length} events are delivered again`);
    });
  letters
    .command("discard")
    .description("Forget")
    .argument("[id]")
    .option("--all", "all that there are")
    .action(async (id: string | undefined, options: { all?: boolean }, command) => {
      const connection = findConnection(command.optsWithGlobals());
      const ids = await idsOf(connection, { id, all: options.all });
      for (const each of ids) await call(connection, pathOf(each), { method: "DELETE" });
      success(ids.length === 1 ? `${ids[0] ?? ""} is discarded` : `${ids.length} events are discarded`);
    });
};

async function idsOf(
  connection: Connection,
  { id, all }: { readonly id: string | undefined; readonly all: boolean | undefined },
): Promise<readonly string[]> {
  if ((id === undefined) === (all !== true)) throw new CommandFailure("Name one dead letter, or all of them with --all.", 4);
  if (id !== undefined) return [id];
  return (await allDeadLetters(connection)).map((row) => field(row, "id") ?? "");
}

async function allDeadLetters(connection: Connection): Promise<readonly Json[]> {
  const all: Json[] = [];
  for (;;) {
    const last = all.at(-1);
    const after = last === undefined ? "" : `&after=${encodeURIComponent(field(last, "id") ?? "")}`;
    const page = rowsOf(await call(connection, `/v1/events/dead-letters?limit=${PAGE}${after}`), "deadLetters");
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

function rowsOf(json: Json, name: string): readonly Json[] {
  return (json as Readonly<Record<string, readonly Json[] | undefined>>)[name] ?? [];
}

function pathOf(id: string): string {
  return `/v1/events/dead-letters/${encodeURIComponent(id)}`;
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new CommandFailure(`The payload is not JSON: ${text.slice(0, 80)}`, 4);
  }
}

import { call, failureOf, field, send, type Json } from "../client.ts";
import { findConnection, type Connection } from "../connection.ts";
import { readEvents } from "../event-stream.ts";
import { CommandFailure } from "../failure.ts";
import { note, print, printJson, success, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const snapIns: AddCommand = (program) => {
  const group = program.command("snap-ins").description("Packages that are installed on a branch: configure, activate, upgrade");
  group
    .command("list")
    .description("Show what is installed")
    .action(async (_, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), "/v1/snap-ins");
      if (globals.json === true) return printJson(json);
      const rows = rowsOf(json).map((row) => [
        field(row, "package") ?? "",
        (field(row, "version") ?? "").slice(0, 12),
        field(row, "state") ?? "",
        field(row, "stateReason") ?? "",
      ]);
      print(table(["PACKAGE", "VERSION", "STATE", "REASON"], rows));
    });
  group
    .command("show")
    .description("Show one with its inputs, event sources and setup instructions")
    .argument("<package>", "name of the package, or id of the snap-in")
    .action(async (name: string, _, command) => {
      const connection = findConnection(command.optsWithGlobals());
      printJson(await call(connection, `/v1/snap-ins/${await idOf(connection, name)}`));
    });
  group
    .command("install")
    .description("Install a package of the branch as a draft")
    .argument("<package>")
    .option("--version <digest>", "a version of the ledger; the head when absent")
    .action(async (name: string, options: { version?: string }, command) => {
      const body = { package: name, ...(options.version === undefined ? {} : { version: options.version }) };
      const json = await call(findConnection(command.optsWithGlobals()), "/v1/snap-ins", { body });
      success(`${name} is installed as a draft (${field(json, "id") ?? ""}); \`plinth snap-ins activate ${name}\` brings it to life`);
    });
  group
    .command("configure")
    .description("Set inputs and bind keyrings")
    .argument("<package>")
    .option("--input <name=json>", "value of an input; text that is no JSON is taken as it is", collect, [])
    .option("--keyring <name=keyring>", "keyring of the branch for a name of the manifest", collect, [])
    .action(async (name: string, options: { input: string[]; keyring: string[] }, command) => {
      const connection = findConnection(command.optsWithGlobals());
      const inputs = Object.fromEntries(options.input.map((text) => pair(text)).map(([key, value]) => [key, jsonOrText(value)]));
      const keyrings = Object.fromEntries(options.keyring.map((text) => pair(text)));
      await call(connection, `/v1/snap-ins/${await idOf(connection, name)}/configure`, { body: { inputs, keyrings } });
      success(`${name} is configured`);
    });
  group
    .command("activate")
    .description("Activate: keyrings, event sources, service account, queue, hooks; wholly or not at all")
    .argument("<package>")
    .action((name: string, _, command) => runSaga(command.optsWithGlobals(), name, "activate", {}));
  group
    .command("deactivate")
    .description("Deactivate")
    .argument("<package>")
    .option("--force", "go on when the deactivate hook fails")
    .action((name: string, options: { force?: boolean }, command) =>
      runSaga(command.optsWithGlobals(), name, "deactivate", options.force === true ? { force: true } : {}),
    );
  group
    .command("upgrade")
    .description("Move to another version of the package")
    .argument("<package>")
    .argument("<version>", "digest, or its first 8 digits")
    .action((name: string, version: string, _, command) => runSaga(command.optsWithGlobals(), name, "upgrade", { version }));
  group
    .command("remove")
    .description("Deactivate and delete")
    .argument("<package>")
    .option("--yes", "do not ask")
    .option("--force", "go on when the deactivate hook fails")
    .action(async (name: string, options: { yes?: boolean; force?: boolean }, command) => {
      const { confirmOrFail } = await import("../confirm.ts");
      await confirmOrFail(`This removes the snap-in of ${name} with its event sources.`, options.yes === true);
      const connection = findConnection(command.optsWithGlobals());
      const query = options.force === true ? "?force=true" : "";
      await call(connection, `/v1/snap-ins/${await idOf(connection, name)}${query}`, { method: "DELETE" });
      success(`${name} is removed`);
    });
};

/** Each becomes its participle with a `d`. */
type SagaKind = "activate" | "deactivate" | "upgrade";

/** Starts a saga and shows its steps as they happen. */
async function runSaga(globals: GlobalOptions, name: string, kind: SagaKind, body: Json): Promise<void> {
  const connection = findConnection(globals);
  const path = `/v1/snap-ins/${await idOf(connection, name)}/${kind}`;
  const response = await send(connection, path, { body, accept: "text/event-stream" });
  if (!response.ok) throw failureOf(response.status, (await response.json()) as Json);
  for await (const { event, data } of readEvents(response)) {
    const json = JSON.parse(data) as Json;
    if (event === "progress") note(field(json, "text") ?? "");
    if (event === "error") throw failureOf(400, json);
    if (event !== "done") continue;
    if (globals.json === true) return printJson(json);
    const reason = field(json, "stateReason");
    if (reason !== undefined)
      throw new CommandFailure(`${name} could not be ${kind}d; its state is ${field(json, "state") ?? "unknown"}. ${reason}`, 1);
    return success(`${name} is ${field(json, "state") ?? ""}`);
  }
  throw new CommandFailure(
    "The host went away before it was done. It goes on when the host is back; `plinth snap-ins list` shows the state.",
    7,
  );
}

/** The id of a package's snap-in. */
async function idOf(connection: Connection, name: string): Promise<string> {
  if (/^snapin_[0-9a-f]{32}$/.test(name)) return name;
  const found = rowsOf(await call(connection, "/v1/snap-ins")).find((row) => field(row, "package") === name);
  const id = found === undefined ? undefined : field(found, "id");
  if (id === undefined)
    throw new CommandFailure(`The package ${name} is not installed. Install it with \`plinth snap-ins install ${name}\`.`, 4);
  return id;
}

function rowsOf(json: Json): readonly Json[] {
  return (json as { readonly snapIns?: readonly Json[] }).snapIns ?? [];
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CommandFailure(`'${text}' is not of the form name=value.`, 4);
  return [text.slice(0, at), text.slice(at + 1)];
}

function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

import { readFileSync } from "node:fs";
import { call, field, type Json } from "../client.ts";
import { findConnection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { note, print, printJson, progress, table } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

interface ListOptions extends GlobalOptions {
  readonly type?: string;
  readonly agentSkills?: boolean;
}

interface RunOptions extends GlobalOptions {
  readonly port?: string;
  readonly async?: boolean;
}

export const operations: AddCommand = (program) => {
  const group = program.command("operations").description("What flows, agents and automations may do: native, of tables, of packages");
  group
    .command("list")
    .description("Show the operations of the branch")
    .option("--type <type>", "action or trigger")
    .option("--agent-skills", "those that agents may use")
    .action(async (_, command) => await list("", command.optsWithGlobals()));
  group
    .command("search")
    .description("Find operations by words; the best matches come first")
    .argument("<text...>")
    .option("--type <type>", "action or trigger")
    .option("--agent-skills", "those that agents may use")
    .action(async (words: string[], _, command) => await list(words.join(" "), command.optsWithGlobals()));
  group
    .command("show")
    .description("Show the ports of an operation")
    .argument("<operation>", "slug, or namespace/slug")
    .action(async (name: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const json = await call(findConnection(globals), path(name));
      if (globals.json === true) return printJson(json);
      const { name: full, description, origin, type, inputs, outputs } = json as unknown as Shown;
      print(`${full}  (${origin}, ${type})\n${description}`);
      for (const port of inputs) print(`\n${portText(`input ${port.name}`, port)}`);
      for (const port of outputs) print(`\n${portText(`output ${port.name}`, port)}`);
    });
  group
    .command("run")
    .description("Execute an operation and print what it puts out")
    .argument("<operation>", "slug, or namespace/slug")
    .argument("[input]", "JSON object, @file, or - for standard input", "{}")
    .option("--port <name>", "input port")
    .option("--async", "store it, print its id and return at once")
    .action(async (name: string, text: string, _, command) => {
      const options: RunOptions = command.optsWithGlobals();
      const body = {
        input: inputOf(text),
        ...(options.port === undefined ? {} : { port: options.port }),
        ...(options.async === true ? { mode: "async" } : {}),
      };
      const json = await progress(`running ${name}`, () => call(findConnection(options), `${path(name)}/execute`, { body }));
      if (options.async === true || options.json === true) return printJson(json);
      printExecuted(json);
    });
  group
    .command("schema")
    .description("Show the ports as they are for what is filled in so far")
    .argument("<operation>", "slug, or namespace/slug")
    .argument("[input]", "JSON object, @file, or - for standard input", "{}")
    .action(async (name: string, text: string, _, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      printJson(await call(findConnection(globals), `${path(name)}/schema`, { body: { input: inputOf(text) } }));
    });
};

interface Shown {
  readonly name: string;
  readonly description: string;
  readonly origin: string;
  readonly type: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

interface Port {
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly fieldType: string;
    readonly baseType: string | null;
    readonly isRequired: boolean;
    readonly description: string;
    readonly allowedValues: readonly string[];
  }[];
}

async function list(text: string, options: ListOptions): Promise<void> {
  const query = new URLSearchParams({
    ...(text === "" ? {} : { text }),
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(options.agentSkills === true ? { agentSkills: "true" } : {}),
  });
  const json = await call(findConnection(options), `/v1/operations?${query}`);
  if (options.json === true) return printJson(json);
  const rows = (json as { readonly operations?: readonly Json[] }).operations ?? [];
  print(
    table(
      ["OPERATION", "TYPE", "ORIGIN", "DESCRIPTION"],
      rows.map((row) => ["name", "type", "origin", "description"].map((name) => field(row, name) ?? "")),
    ),
  );
}

function portText(title: string, { fields }: Port): string {
  const rows = fields.map(({ name, fieldType, baseType, isRequired, description, allowedValues }) => [
    name,
    fieldType === "array" ? `list of ${baseType ?? "json_value"}` : fieldType,
    isRequired ? "required" : "",
    [description, allowedValues.length === 0 ? "" : `(${allowedValues.join(", ")})`].filter((part) => part !== "").join(" "),
  ]);
  return fields.length === 0 ? `${title}: nothing` : `${title}\n${table(["FIELD", "TYPE", "", "DESCRIPTION"], rows)}`;
}

/** One value of the default port is printed as it is; the operation's no is a failure of the command. */
function printExecuted(json: Json): void {
  const {
    result,
    logs = [],
    error,
  } = json as {
    readonly result: { readonly output?: { readonly values: readonly Json[] }; readonly error?: Json } & { readonly [name: string]: Json };
    readonly logs?: readonly Json[];
    readonly error?: Json;
  };
  for (const line of logs) note(field(line, "text") ?? "");
  if (result.error !== undefined) {
    const next = field(error, "next");
    const message = field(result.error, "message") ?? "The operation failed.";
    throw new CommandFailure(next === undefined ? message : `${message}\n${next}`, exitCodeOf(error));
  }
  const { output } = result;
  printJson(output === undefined ? result : output.values.length === 1 ? (output.values[0] ?? null) : output.values);
}

function exitCodeOf(error: Json | undefined): number {
  const { exitCode } = (error ?? {}) as { readonly exitCode?: number };
  return exitCode ?? 1;
}

function inputOf(text: string): Json {
  const source = text === "-" ? readFileSync(0, "utf8") : text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`The input is not JSON (${detail}). Quote it for the shell: '{"name": "Ada"}'.`, 4);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CommandFailure('The input must be one JSON object, as \'{"name": "Ada"}\'.', 4);
  return value as Json;
}

function path(name: string): string {
  return `/v1/operations/${encodeURIComponent(name)}`;
}

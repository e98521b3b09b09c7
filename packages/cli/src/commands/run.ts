import { ERRORS, type ErrorCode } from "@plinth/core/errors.ts";
import { call, field, send, type Json } from "../client.ts";
import { findConnection, type Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { note, printJson, progress } from "../output.ts";
import type { AddCommand, GlobalOptions } from "./table.ts";

export const run: AddCommand = (program) => {
  program
    .command("run")
    .description("Call a function and print its result")
    .argument("<function>", "module:function, for example accounts:list")
    .argument("[arguments]", "JSON object", "{}")
    .option("--async", "store the call, print its id and return at once")
    .action(async (path: string, argsText: string, options: { async?: boolean }, command) => {
      const globals: GlobalOptions = command.optsWithGlobals();
      const connection = findConnection(globals);
      const args = parseArguments(argsText);
      if (options.async === true) return printJson(await enqueue(connection, path, args));
      const value = await progress(`running ${path}`, () => runFunction(connection, path, args));
      printJson(value);
    });
};

/** Calls a function of any kind and visibility; its console lines go to standard error. */
export async function runFunction(connection: Connection, path: string, args: Json, onLog: (line: string) => void = note): Promise<Json> {
  const response = await send(connection, "/api/function", { body: { path, args, format: "json" } });
  const json = (await response.json().catch(() => null)) as Json;
  for (const line of logLines(json)) onLog(line);
  if (field(json, "status") === "success") return (json as { readonly value: Json }).value;
  const errorMessage = field(json, "errorMessage");
  if (errorMessage !== undefined) {
    const data = (json as { readonly errorData?: Json }).errorData;
    throw new CommandFailure(data === undefined ? errorMessage : `${errorMessage}\ndata: ${JSON.stringify(data)}`, exitCodeOf(json));
  }
  const message = field(json, "message") ?? `the host answered ${response.status}`;
  const next = field(json, "next");
  throw new CommandFailure(next === undefined ? message : `${message}\n${next}`, response.status >= 500 ? 7 : 4);
}

async function enqueue(connection: Connection, path: string, args: Json): Promise<Json> {
  return await call(connection, `/v1/functions/${encodeURIComponent(path)}/execute`, { body: { args, mode: "async" } });
}

function parseArguments(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(
      `The arguments are not JSON (${error instanceof Error ? error.message : String(error)}). Quote them for the shell: '{"name": "Ada"}'.`,
      4,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CommandFailure('The arguments must be one JSON object, as \'{"name": "Ada"}\'.', 4);
  return value as Json;
}

function logLines(json: Json): string[] {
  if (typeof json !== "object" || json === null || !("logLines" in json) || !Array.isArray(json["logLines"])) return [];
  return json["logLines"].filter((line): line is string => typeof line === "string");
}

/** The exit code of the error that the host names; 1 when it names none. */
function exitCodeOf(json: Json): number {
  const code = field(json, "errorCode");
  return code !== undefined && code in ERRORS ? ERRORS[code as ErrorCode].exitCode : 1;
}

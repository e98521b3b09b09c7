/** JSON that a command is given: in files, and as arguments. */
import { readFileSync } from "node:fs";
import type { Json } from "../../client.ts";
import { CommandFailure } from "../../failure.ts";
import { note } from "../../output.ts";
import { listOf, numberOf, part, text } from "./json-parts.ts";

export function readJson(file: string): Json {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch {
    throw new CommandFailure(`There is no file ${file} that can be read.`, 4);
  }
  return parseJson(content, file);
}

export function parseJson(content: string, what: string): Json {
  try {
    return JSON.parse(content) as Json;
  } catch (error) {
    throw new CommandFailure(`${what} is not JSON (${error instanceof Error ? error.message : String(error)}).`, 4);
  }
}

/** JSON, or `@` and the name of a file with it. */
export function jsonArgument(argument: string, what: string): Json {
  return argument.startsWith("@") ? readJson(argument.slice(1)) : parseJson(argument, what);
}

/** With its place. Of findings in expressions the message alone does not say where they are. */
export function findingText(finding: Json): string {
  const [path, message, position] = [text(finding, "path"), text(finding, "message"), part(finding, "position")];
  const [line, column] = [numberOf(position, "line"), numberOf(position, "column")];
  if (line === 0 || message.startsWith(path)) return message;
  return `${path}, line ${line}, column ${column}: ${message}`;
}

/** Shows all; fails when one of them is an error. */
export function showFindings(json: Json, { isQuiet, outcome }: { readonly isQuiet: boolean; readonly outcome: string }): void {
  const findings = listOf(json, "findings");
  if (!isQuiet) for (const finding of findings) note(`${text(finding, "severity")}: ${findingText(finding)}`);
  const errors = findings.filter((finding) => text(finding, "severity") === "error").length;
  if (errors > 0) throw new CommandFailure(`There ${errors === 1 ? "is 1 error" : `are ${errors} errors`}; ${outcome}.`, 4);
}

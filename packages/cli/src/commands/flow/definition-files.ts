/** Definitions that a command is given: files, and folders with `*.flow.json`. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../client.ts";
import { CommandFailure } from "../../failure.ts";
import { readJson } from "./flow-files.ts";
import { part, text } from "./json-parts.ts";

export interface DefinitionFile {
  readonly file: string;
  readonly definition: Json;
}

/** All of them, each once; flows that others run as subflows come before those. */
export function readDefinitions(paths: readonly string[]): readonly DefinitionFile[] {
  const files = new Set(paths.flatMap((path) => filesOf(path, paths.length > 1)));
  if (files.size === 0) throw new CommandFailure("These files hold tests, and none a definition.", 4);
  return calledFirst([...files].map((file) => ({ file, definition: readDefinition(file) })));
}

/** `isAmong`: tests that a pattern of the shell has matched too are left out. */
function filesOf(path: string, isAmong: boolean): readonly string[] {
  if (existsSync(path) && statSync(path).isDirectory()) {
    const names = readdirSync(path).filter((name) => name.endsWith(".flow.json"));
    if (names.length === 0) throw new CommandFailure(`The folder ${path} has no file that ends with .flow.json.`, 4);
    return names.toSorted().map((name) => join(path, name));
  }
  if (!path.endsWith(".flow.test.json")) return [path];
  if (isAmong) return [];
  throw new CommandFailure(`${path} holds tests; name the definition that they are for, and they are kept with it.`, 4);
}

function readDefinition(file: string): Json {
  const json = readJson(file);
  if (text(json, "kind") === "plinth-flow")
    throw new CommandFailure(`${file} is a flow that was exported; \`plinth flow import ${file}\` publishes it.`, 4);
  return json;
}

function calledFirst(files: readonly DefinitionFile[]): readonly DefinitionFile[] {
  const byName = new Map(files.map((each) => [text(each.definition, "name"), each]));
  const ordered = new Set<DefinitionFile>();
  const begun = new Set<DefinitionFile>();
  const take = (each: DefinitionFile): void => {
    if (begun.has(each)) return;
    begun.add(each);
    for (const name of subflowsOf(each.definition)) {
      const called = byName.get(name);
      if (called !== undefined) take(called);
    }
    ordered.add(each);
  };
  files.forEach(take);
  return [...ordered];
}

function subflowsOf(definition: Json): readonly string[] {
  const nodes = part(definition, "nodes");
  if (typeof nodes !== "object" || nodes === null) return [];
  return Object.values(nodes).map((node) => text(part(node, "data"), "flow"));
}

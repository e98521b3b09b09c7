/** Files of tests, and the definitions that they are for: `price.flow.test.json` is for `price.flow.json` or `price.json`. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CommandFailure } from "../../failure.ts";

const TESTS = ".flow.test.json";

/** All below a folder, in order; a file is itself. */
export function findTestFiles(path: string): readonly string[] {
  if (!existsSync(path)) throw new CommandFailure(`There is no file or folder ${path}.`, 4);
  if (!statSync(path).isDirectory()) return [testsOf(path)];
  return [...filesBelow(path)].toSorted();
}

/** Of a definition, those beside it. */
function testsOf(file: string): string {
  if (file.endsWith(TESTS)) return file;
  const tests = testsBeside(file);
  return existsSync(tests) ? tests : file;
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.name.endsWith(TESTS)) yield path;
  }
}

/** The file of tests of a definition, which need not exist. */
export function testsBeside(definition: string): string {
  const name = basename(definition).replace(/(?:\.flow)?\.json$/, "");
  return join(dirname(definition), `${name}${TESTS}`);
}

/** `named`: what the tests say, from their folder. */
export function definitionFile(tests: string, named: string | null): string {
  const folder = dirname(tests);
  if (named !== null) return resolve(folder, named);
  const name = basename(tests).slice(0, -TESTS.length);
  const both = [join(folder, `${name}.flow.json`), join(folder, `${name}.json`)];
  const found = both.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new CommandFailure(`There is neither ${both.join(" nor ")}; name the definition with \`"flow": "<file>"\` in ${tests}.`, 4);
}

/**
 * `npm run conformance -- <suite> <folder> [--json] [--override name[@version]=version] [--only <text>]`: runs
 * sources that you have on this machine, as they are, against hosts of their own. Nothing of them is part of this project.
 */
import { parseArgs } from "node:util";
import { snapIns } from "./conformance/snap-ins.ts";
import { sync } from "./conformance/sync.ts";
import { triggers } from "./conformance/triggers.ts";

export interface SuiteOptions {
  readonly folder: string;
  readonly json: boolean;
  /** `name` or `name@version` → version to take, or a `file:` tarball. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Packages whose path holds this text. */
  readonly only: string;
}

/** Resolves with whether everything that should pass did. */
export type Suite = (options: SuiteOptions) => Promise<boolean>;

const SUITES: Readonly<Record<string, Suite>> = { "snap-ins": snapIns, sync, triggers };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    override: { type: "string", multiple: true, default: [] },
    only: { type: "string", default: "" },
  },
});
const [name = "", folder] = positionals;
const suite = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
if (suite === undefined || folder === undefined) {
  console.error(
    `Usage: npm run conformance -- <${Object.keys(SUITES).join("|")}> <folder> [--json] [--only <text>] [--override name=version]`,
  );
  process.exit(4);
}
const passed = await suite({ folder, json: values.json, only: values.only, overrides: Object.fromEntries(values.override.map(pairOf)) });
process.exit(passed ? 0 : 1);

function pairOf(text: string): readonly [string, string] {
  // A scope's name begins with `@`; the version of what is replaced comes after a later one.
  const at = text.indexOf("=");
  if (at < 1) {
    console.error(`'${text}' is not of the form name=version.`);
    process.exit(4);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

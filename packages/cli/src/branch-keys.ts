/**
 * Keys of branches that `plinth branches create` was given, so that `--branch dev` works in this project without another
 * word. They lie in `.plinth/branch-keys.json`, readable by its owner only and covered by a `.gitignore` beside it, by the URL of
 * their host and tenant: a key is never sent to another host.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandFailure } from "./failure.ts";

/** URL of host and tenant → branch → key */
type BranchKeys = Readonly<Record<string, Readonly<Record<string, string>>>>;

const FILE = "branch-keys.json";

export function findBranchKey(url: string, branch: string): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    // Names of branches may be those of properties that every object has, `constructor` for one.
    const keys = readKeys(join(folder, ".plinth", FILE))[url] ?? {};
    if (Object.hasOwn(keys, branch)) return keys[branch];
    if (dirname(folder) === folder) return undefined;
  }
}

/** Keeps the key of a branch, or forgets it (undefined). Returns the file. */
export function keepBranchKey(url: string, branch: string, key: string | undefined): string {
  const folder = plinthFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  const path = join(folder, FILE);
  const keys = readKeys(path);
  const { [branch]: _, ...others } = keys[url] ?? {};
  const changed: BranchKeys = { ...keys, [url]: key === undefined ? others : { ...others, [branch]: key } };
  // Made anew with its mode and then renamed: the file is never readable by others and never half written.
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${JSON.stringify(changed, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(fresh, path);
  return path;
}

/** The nearest `.plinth` above; the one of this folder when there is none. */
function plinthFolder(): string {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".plinth"))) return join(folder, ".plinth");
    if (dirname(folder) === folder) return join(process.cwd(), ".plinth");
  }
}

function readKeys(path: string): BranchKeys {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return {};
  }
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null) return json as BranchKeys;
  } catch {
    // Told below.
  }
  throw new CommandFailure(`${path} is not valid JSON; delete it, and make new keys with \`plinth branches key <name>\`.`, 4);
}

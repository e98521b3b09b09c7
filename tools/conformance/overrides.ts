/** Which dependencies of a package have to be others, because the registry does not have the versions that it names. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `name@version` → version that the registry has. */
const KNOWN = readJson(join(import.meta.dirname, "overrides.json")) as Readonly<Record<string, string>>;

/** Of the given and the known ones, those that the package's `package.json` or its lock file asks for. */
export function overridesFor(codeFolder: string, given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const table: Readonly<Record<string, string>> = { ...KNOWN, ...given };
  const chosen: Record<string, string> = {};
  for (const [name, versions] of wantedVersions(codeFolder)) {
    const keys = [...[...versions].map((version) => `${name}@${version}`), name];
    const override = keys.map((key) => (Object.hasOwn(table, key) ? table[key] : undefined)).find((value) => value !== undefined);
    if (override !== undefined) chosen[name] = override;
  }
  return chosen;
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages?: Readonly<Record<string, { readonly version?: string }>>;
}

/** Name → the version that is asked for, and the one that the lock file holds. */
function wantedVersions(codeFolder: string): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  const { dependencies, devDependencies } = readJson(join(codeFolder, "package.json")) as PackageJson;
  const { packages = {} } = readJson(join(codeFolder, "package-lock.json")) as LockFile;
  for (const [name, spec] of Object.entries({ ...devDependencies, ...dependencies })) {
    const locked = packages[`node_modules/${name}`]?.version;
    wanted.set(name, new Set([spec, spec.replace(/^[~^]/, ""), ...(locked === undefined ? [] : [locked])]));
  }
  return wanted;
}

function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

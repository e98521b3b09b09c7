/** Finds and evaluates the code of a package, and the functions that its manifest declares. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PACKAGE_FOLDER } from "@plinth/core/protocol/runner-protocol.ts";

export type Handler = (events: unknown) => unknown;

export interface LoadedPackage {
  /** Folder with the package's package.json. */
  readonly codeFolder: string;
  readonly functions: ReadonlyMap<string, Handler>;
}

/** The package is not as it should be; the message is for its author. */
export class PackageError extends Error {
  override name = "PackageError";
}

const NAMES_SHOWN_MAX = 20;

/** Where the files of the version are. The variable is for tests outside a jail: inside one, `/package` exists. */
export function packageFolder(): string {
  return existsSync(PACKAGE_FOLDER) ? PACKAGE_FOLDER : (process.env["PLINTH_PACKAGE_FOLDER"] ?? PACKAGE_FOLDER);
}

/** The folder that holds the code: `code` of a snap-in, or the folder itself. */
export function findCodeFolder(folder: string): string {
  const candidates = [join(folder, "code"), folder];
  const found =
    candidates.find((each) => existsSync(join(each, "package.json"))) ??
    candidates.find((each) => existsSync(join(each, "dist")) || existsSync(join(each, "index.js")));
  if (found === undefined) throw new PackageError("The package has no package.json, neither in its folder 'code' nor at its root.");
  return found;
}

/** Evaluates the package and resolves every name. What its code throws is passed on; what is missing is a PackageError. */
export async function loadPackage(codeFolder: string, names: readonly string[]): Promise<LoadedPackage> {
  const main = findMain(codeFolder);
  const factory = main === undefined ? undefined : factoryOf(await evaluate(main));
  const functions = new Map<string, Handler>();
  const missing: string[] = [];
  for (const name of names) {
    const handler = fromFactory(factory, name) ?? (await fromFile(codeFolder, name));
    if (handler === undefined) missing.push(name);
    else functions.set(name, handler);
  }
  if (missing.length > 0) throw new PackageError(missingText(missing, main?.slice(codeFolder.length + 1), factory));
  return { codeFolder, functions };
}

function findMain(codeFolder: string): string | undefined {
  const declared = declaredMain(codeFolder);
  const require = createRequire(join(codeFolder, "package.json"));
  for (const file of [declared, "dist/index.js", "index.js"]) {
    if (file === undefined) continue;
    const path = join(codeFolder, file);
    // A package's code is its own; `..` in its main would name files beside it.
    if (path !== codeFolder && !path.startsWith(`${codeFolder}/`))
      throw new PackageError(`The main file '${file}' lies outside the package.`);
    try {
      return require.resolve(path);
    } catch {
      // The next one may be there.
    }
  }
  return undefined;
}

function declaredMain(codeFolder: string): string | undefined {
  const file = join(codeFolder, "package.json");
  if (!existsSync(file)) return undefined;
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new PackageError("The package.json is not valid JSON.");
  }
  const main: unknown = property(manifest, "main");
  return typeof main === "string" && main !== "" ? main : undefined;
}

/** CommonJS and ES modules; those with a top-level await cannot be required. */
async function evaluate(file: string): Promise<unknown> {
  const require = createRequire(file);
  try {
    return require(file) as unknown;
  } catch (error) {
    if (property(error, "code") !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
    return (await import(pathToFileURL(file).href)) as unknown;
  }
}

function factoryOf(module: unknown): unknown {
  return property(module, "functionFactory") ?? property(property(module, "default"), "functionFactory");
}

function fromFactory(factory: unknown, name: string): Handler | undefined {
  if (typeof factory !== "object" || factory === null || !Object.hasOwn(factory, name)) return undefined;
  const entry = property(factory, name);
  if (isHandler(entry)) return entry;
  throw new PackageError(`functionFactory['${name}'] is ${entry === null ? "null" : `of type ${typeof entry}`} and not a function.`);
}

async function fromFile(codeFolder: string, name: string): Promise<Handler | undefined> {
  if (name.includes("/") || name.includes("..")) return undefined;
  const file = join(codeFolder, "dist/functions", name, "index.js");
  if (!existsSync(file)) return undefined;
  const module = await evaluate(file);
  const exported = property(module, "default");
  const handler = [exported, property(module, "run"), property(exported, "default"), property(exported, "run")].find(isHandler);
  if (handler === undefined) throw new PackageError(`dist/functions/${name}/index.js exports no function as 'default' or 'run'.`);
  return handler;
}

function missingText(missing: readonly string[], main: string | undefined, factory: unknown): string {
  const listed = missing.slice(0, NAMES_SHOWN_MAX).join(", ") + (missing.length > NAMES_SHOWN_MAX ? ", …" : "");
  const entries = typeof factory === "object" && factory !== null ? Object.keys(factory).slice(0, NAMES_SHOWN_MAX) : undefined;
  const found =
    main === undefined
      ? "There is no main file: neither the 'main' of package.json nor dist/index.js nor index.js exists. Was the package built?"
      : entries === undefined
        ? `${main} exports no functionFactory.`
        : `The functionFactory of ${main} has ${entries.length === 0 ? "no entries" : entries.join(", ")}.`;
  return `The package has no function for: ${listed}. ${found} Each needs an entry there or a file dist/functions/<name>/index.js.`;
}

function property(value: unknown, name: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

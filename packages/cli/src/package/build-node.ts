/**
 * Builds a Node package in a folder of its own, `.plinth/build` beside the manifest: installs what the lock file says, without
 * scripts of dependencies, and runs the package's own build. The author's folder is not touched.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build as esbuild } from "esbuild";
import { CommandFailure } from "../failure.ts";
import { note } from "../output.ts";
import { hasStamp, stampOf, writeStamp } from "./build-stamp.ts";
import { declarationErrors } from "./declaration-errors.ts";
import { distrust, installFailure } from "./install-failure.ts";
import { runNpm } from "./run-npm.ts";
import { runTool } from "./run-tool.ts";
import type { PackFile } from "./pack.ts";
import { filesOf, filesOfDependencies } from "./pack-files.ts";
import type { SourceFolder } from "./source-folder.ts";

export interface BuildOptions {
  /** Versions (or `file:` tarballs) to take in place of those that the package names. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly update: (text: string) => void;
}

const EXIT_CODE = 1;
const NOT_COPIED = new Set(["node_modules", "dist", ".git", ".plinth"]);

export async function buildNode(source: SourceFolder, options: BuildOptions): Promise<readonly PackFile[]> {
  const folder = join(source.root, ".plinth", "build", "node");
  await copySources(source.code, folder);
  if (existsSync(join(folder, "package.json"))) {
    if (Object.keys(options.overrides).length > 0) await applyOverrides(folder, options.overrides);
    if (await hasDependencies(folder)) await install(folder, options);
  }
  options.update("building");
  const isOutput = await compile(source, folder);
  const own = await filesOf(folder, "code", { without: (path) => isLeftOut(path) || (isOutput && /^src(?:\/|$)/.test(path)) });
  // npm takes its time to say that there is nothing.
  return (await hasDependencies(folder)) ? [...own, ...(await filesOfDependencies(folder, "code"))] : own;
}

/** Not part of a version: tests, credentials, and what the build keeps for itself. */
function isLeftOut(path: string): boolean {
  return (
    /^(?:node_modules|tests?|coverage|\.git|\.plinth|\.vscode|\.idea)(?:\/|$)/.test(path) ||
    /(?:^|\/)(?:\.stamp|\.npmrc|\.env(?:\..*)?|.*\.tsbuildinfo|.*\.log|\.DS_Store)$/.test(path)
  );
}

async function copySources(code: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder))
    if (name !== "node_modules" && name !== ".stamp") await rm(join(folder, name), { recursive: true, force: true });
  for (const name of await readdir(code))
    if (!NOT_COPIED.has(name)) await cp(join(code, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  // A package without a build brings its output.
  const scripts = await buildScriptOf(code);
  if (scripts === undefined && existsSync(join(code, "dist"))) await cp(join(code, "dist"), join(folder, "dist"), { recursive: true });
}

interface PackageJson {
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, unknown>>;
}

async function readPackageJson(folder: string): Promise<PackageJson> {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(await readFile(file, "utf8")) as PackageJson;
  } catch (error) {
    throw new CommandFailure(`code/package.json is not JSON: ${error instanceof Error ? error.message : String(error)}`, 4);
  }
}

async function hasDependencies(folder: string): Promise<boolean> {
  const { dependencies, devDependencies } = await readPackageJson(folder);
  return Object.keys({ ...dependencies, ...devDependencies }).length > 0;
}

async function buildScriptOf(folder: string): Promise<string | undefined> {
  return (await readPackageJson(folder)).scripts?.["build"];
}

/** Other versions than the author's make the lock file void, and registries that it names too. */
async function applyOverrides(folder: string, given: Readonly<Record<string, string>>): Promise<void> {
  const json = await readPackageJson(folder);
  const overrides = Object.fromEntries(Object.entries(given).map(([name, version]) => [name, absolute(version)]));
  const changed = (entries: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(entries).map(([name, version]) => [name, overrides[name] ?? version]));
  const direct = new Set([...Object.keys(json.dependencies ?? {}), ...Object.keys(json.devDependencies ?? {})]);
  const nested = Object.entries(overrides).map(([name, version]) => [name, direct.has(name) ? `$${name}` : version]);
  const merged = {
    ...json,
    ...(json.dependencies === undefined ? {} : { dependencies: changed(json.dependencies) }),
    ...(json.devDependencies === undefined ? {} : { devDependencies: changed(json.devDependencies) }),
    overrides: { ...json.overrides, ...Object.fromEntries(nested) },
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(merged, null, 2)}\n`);
  await rm(join(folder, "package-lock.json"), { force: true });
  const npmrc = join(folder, ".npmrc");
  if (!existsSync(npmrc)) return;
  const kept = (await readFile(npmrc, "utf8")).split("\n").filter((line) => !/registry|_auth/i.test(line));
  await writeFile(npmrc, kept.join("\n"));
}

/** `file:` is meant from where the command runs, and read in the build's folder. */
function absolute(version: string): string {
  return version.startsWith("file:") ? `file:${resolve(version.slice("file:".length))}` : version;
}

async function install(folder: string, options: BuildOptions): Promise<void> {
  const lock = join(folder, "package-lock.json");
  const locked = existsSync(lock);
  const stamp = stampOf([join(folder, "package.json"), lock, join(folder, ".npmrc")], [process.arch]);
  const stampFile = join(folder, ".stamp");
  if (hasStamp(stampFile, stamp)) return;
  options.update(locked ? "installing what the lock file says" : "installing dependencies (there is no lock file)");
  await rm(stampFile, { force: true });
  const args = [locked ? "ci" : "install", "--include=dev"];
  const first = await runNpm(args, { cwd: folder });
  if (first.exitCode === 127) throw new CommandFailure("npm is not there. Install Node.js with npm.", EXIT_CODE);
  if (distrust(first.output) !== null && first.exitCode !== 0) throw installFailure("npm", first.output);
  if (first.exitCode !== 0) await installWithoutCache(folder, args, options);
  writeStamp(stampFile, stamp);
}

async function installWithoutCache(folder: string, args: readonly string[], options: BuildOptions): Promise<void> {
  options.update("installing again without npm's cache");
  const cache = await mkdtemp(join(tmpdir(), "plinth-npm-"));
  try {
    const second = await runNpm([...args, "--cache", cache, "--prefer-online"], { cwd: folder });
    if (second.exitCode !== 0) throw installFailure("npm", second.output);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** The package's own build; without one, its sources are bundled. False when what runs are the sources themselves. */
async function compile(source: SourceFolder, folder: string): Promise<boolean> {
  const { main = "dist/index.js" } = await readPackageJson(folder);
  const isOutput = !/^(?:\.\/)?src\//.test(main);
  const script = await buildScriptOf(folder);
  if (script !== undefined) {
    const { exitCode, output } = await runTool("npm", ["run", "--silent", "build"], { cwd: folder });
    if (exitCode === 0) return isOutput;
    const errors = declarationErrors(script, output);
    if (errors === 0 || !existsSync(join(folder, main)))
      throw new CommandFailure(`The package's build failed:\n${output.slice(-8000)}`, EXIT_CODE);
    note(`warning: the compiler cannot read types of dependencies (${errors} errors, none in the package's own code)`);
    return isOutput;
  }
  if (existsSync(join(folder, main)) || existsSync(join(folder, "index.js"))) return false;
  const entry = ["src/index.ts", "src/index.js", "src/function-factory.ts", "index.ts"]
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
  if (entry === undefined) {
    const names = source.manifest.functions.map(({ name }) => name).join(", ");
    throw new CommandFailure(
      `code/ has no build script, no ${main} and no src/index.ts. Export \`functionFactory\` with ${names} from one of them.`,
      4,
    );
  }
  try {
    await esbuild({
      entryPoints: [entry],
      bundle: true,
      packages: "external",
      platform: "node",
      format: main.endsWith(".mjs") ? "esm" : "cjs",
      target: "es2024",
      sourcemap: true,
      outfile: join(folder, main),
      logLevel: "silent",
    });
    return true;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // The copy that is built is nobody's to edit: errors name the author's files.
    throw new CommandFailure(`The sources cannot be built: ${text.replaceAll(".plinth/build/node/", "code/")}`, EXIT_CODE);
  }
}

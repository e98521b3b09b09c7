/** Installs npm packages without their scripts, and makes one script of them, which gives them by their names. */
import { lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BUNDLE_GLOBAL, BUNDLE_SCRIPT_FILE } from "@plinth/core/flow/bundle.ts";
import { must } from "@plinth/core/assert.ts";
import { type Dependency, parseDependency } from "@plinth/core/flow/dependencies.ts";
import { limit } from "@plinth/core/limits.ts";
import * as esbuild from "esbuild";
import { asyncHooksShim, refuseNodeModules } from "../bundle/plugins.ts";
import { CommandFailure } from "../failure.ts";
import { installFailure } from "../package/install-failure.ts";
import { runNpm } from "../package/run-npm.ts";
import type { BundleOptions, BundleSource } from "./bundle-source.ts";

const EXIT_CODE = 1;

export async function bundleJavascript(folder: string, { dependencies, pinned, update }: BundleOptions): Promise<BundleSource> {
  const named = dependencies.map((text) => must(parseDependency("javascript", text), "its form was checked"));
  await writeFile(join(folder, "package.json"), JSON.stringify(packageJson(named, pinned)));
  const { exitCode, output } = await runNpm(["install", "--omit=dev", "--prefer-online"], { cwd: folder });
  if (exitCode === 127) throw new CommandFailure("npm is not there. Install Node.js with npm.", EXIT_CODE);
  if (exitCode !== 0) throw installFailure("npm", output);
  const packages = await installedPackages(folder);
  update(`bundling ${packages.length} packages`);
  const file = join(folder, BUNDLE_SCRIPT_FILE);
  await bundle(folder, named, file);
  const bytes = (await lstat(file)).size;
  const max = limit("flowBundleScriptBytesMax");
  if (bytes > max) throw new CommandFailure(`${dependencies.join(", ")} make a script of ${bytes} bytes, and it may have ${max}.`, 4);
  return { packages, modules: [], files: [{ path: BUNDLE_SCRIPT_FILE, file, bytes }] };
}

function packageJson(named: readonly Dependency[], pinned: readonly string[]) {
  const versions = Map.groupBy(
    pinned.map((text) => parseDependency("javascript", text)).filter((pin) => pin !== null && /^\d[\w.+-]*$/.test(pin.range)),
    (pin) => pin?.name ?? "",
  );
  const only = (name: string): string | undefined => {
    const found = versions.get(name) ?? [];
    return found.length === 1 ? found[0]?.range : undefined;
  };
  const dependencies = Object.fromEntries(named.map(({ name, range }) => [name, only(name) ?? (range === "" ? "latest" : range)]));
  const others = [...versions.keys()].filter((name) => !Object.hasOwn(dependencies, name) && only(name) !== undefined);
  return { private: true, dependencies, overrides: Object.fromEntries(others.map((name) => [name, only(name)])) };
}

/** What npm has installed, `name@version`. */
async function installedPackages(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, "node_modules", ".package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly link?: boolean }>>;
  };
  const found = Object.entries(packages).map(([path, { version, link }]) => {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (link === true || version === undefined) throw new CommandFailure(`${name} is no package of a registry.`, 4);
    return `${name}@${version}`;
  });
  return [...new Set(found)].toSorted();
}

async function bundle(folder: string, named: readonly Dependency[], outfile: string): Promise<void> {
  const entries = named.map(({ name }) => `${JSON.stringify(name)}: given(require(${JSON.stringify(name)}))`);
  // A module that exports a default alone is what it exports.
  const contents = `const given = (module) => {
  const names = Object.keys(module ?? {});
  return module?.__esModule === true && names.length === 1 && names[0] === "default" ? module.default : module;
};
globalThis.${BUNDLE_GLOBAL} = () => ({ __proto__: null, ${entries.join(", ")} });`;
  try {
    await esbuild.build({
      stdin: { contents, resolveDir: folder, sourcefile: "libs-entry.js", loader: "js" },
      bundle: true,
      format: "iife",
      target: "esnext",
      platform: "browser",
      conditions: ["module"],
      minifySyntax: true,
      minifyWhitespace: true,
      define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
      absWorkingDir: folder,
      outfile,
      logLevel: "silent",
      plugins: [asyncHooksShim, refuseNodeModules],
    });
  } catch (error) {
    throw new CommandFailure(`The packages cannot be used in a script: ${describe(error)}`, EXIT_CODE);
  }
}

function describe(error: unknown): string {
  const failure = error as Partial<esbuild.BuildFailure>;
  if (!Array.isArray(failure.errors)) return String(error);
  const lines = failure.errors.slice(0, 10).map(({ text, location }) => `  ${location === null ? "" : `${location.file}: `}${text}`);
  return `\n${lines.join("\n")}`;
}

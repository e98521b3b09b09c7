/** Fetches wheels of PyPI packages. Nothing of them is run. */
import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BUNDLE_PYTHON_FOLDER } from "@plinth/core/flow/bundle.ts";
import { must } from "@plinth/core/assert.ts";
import { parseDependency } from "@plinth/core/flow/dependencies.ts";
import { CommandFailure } from "../failure.ts";
import { isCache } from "../package/build-python.ts";
import { installFailure } from "../package/install-failure.ts";
import { filesOf } from "../package/pack-files.ts";
import { runTool } from "../package/run-tool.ts";
import type { BundleOptions, BundleSource } from "./bundle-source.ts";

const MODULE = /^[A-Za-z][A-Za-z0-9_]*$/;
const ARGS = ["-m", "pip", "install", "--only-binary=:all:", "--no-compile", "--disable-pip-version-check", "--quiet"];

export async function bundlePython(folder: string, { dependencies, pinned, update }: BundleOptions): Promise<BundleSource> {
  const python = process.env["PLINTH_PYTHON"] ?? "python3";
  const [target, requirements, constraints] = ["site-packages", "requirements.txt", "constraints.txt"].map((name) => join(folder, name));
  if (target === undefined || requirements === undefined || constraints === undefined) throw new TypeError("there are three");
  await mkdir(target);
  await writeFile(requirements, `${dependencies.join("\n")}\n`);
  await writeFile(constraints, `${pinned.join("\n")}\n`);
  update("installing wheels");
  const args = [...ARGS, "--target", target, "--requirement", requirements, "--constraint", constraints];
  const { exitCode, output } = await runTool(python, args, { cwd: folder });
  if (exitCode === 127)
    throw new CommandFailure(`${python} does not run. Install CPython 3.11 or later, or name it with PLINTH_PYTHON.`, 1);
  if (/No module named pip/.test(output))
    throw new CommandFailure(`${python} has no pip. Install it, on Debian with: apt-get install python3-pip`, 1);
  if (exitCode !== 0) throw installFailure("pip", output);
  const installed = await installedPackages(target);
  const named = new Set(dependencies.map((text) => plainName(must(parseDependency("python", text), "its form was checked").name)));
  const modules = installed.filter(({ name }) => named.has(plainName(name))).flatMap((each) => each.modules);
  return {
    packages: installed.map(({ name, version }) => `${name}==${version}`).toSorted(),
    modules: [...new Set(modules)].toSorted(),
    files: await filesOf(target, BUNDLE_PYTHON_FOLDER, { without: isCache }),
  };
}

interface Installed {
  readonly name: string;
  readonly version: string;
  /** Names that `import` takes. */
  readonly modules: readonly string[];
}

async function installedPackages(target: string): Promise<readonly Installed[]> {
  const folders = (await readdir(target)).filter((name) => name.endsWith(".dist-info"));
  return await Promise.all(
    folders.map(async (folder) => {
      const metadata = await readFile(join(target, folder, "METADATA"), "utf8");
      const header = (key: string): string => new RegExp(`^${key}: *(\\S+)`, "m").exec(metadata)?.[1] ?? "";
      const [name, version] = [header("Name"), header("Version")];
      if (name === "" || version === "") throw new CommandFailure(`${folder} does not say what it is.`, 4);
      const record = await readFile(join(target, folder, "RECORD"), "utf8");
      return { name, version, modules: await modulesOf(target, record) };
    }),
  );
}

/** First parts of the files of a wheel, as far as they can be imported. */
async function modulesOf(target: string, record: string): Promise<readonly string[]> {
  const paths = record.split("\n").map((line) => line.replace(/^"/, "").split(",")[0] ?? "");
  const tops = new Set(paths.filter((path) => /\.(?:py|so|pyd)$/.test(path)).map((path) => path.split("/")[0] ?? ""));
  const found: string[] = [];
  for (const top of tops) {
    const name = top.replace(/\.(?:py|so|pyd|cpython-.*|abi3\..*)$/, "");
    const isThere = await lstat(join(target, top)).then(
      () => true,
      () => false,
    );
    if (MODULE.test(name) && isThere) found.push(name);
  }
  return found;
}

/** As PyPI compares names, without extras. */
function plainName(name: string): string {
  return name
    .replace(/\[.*$/, "")
    .toLowerCase()
    .replace(/[-_.]+/g, "-");
}

/** Builds the archive of a package folder. */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkFunctions } from "@plinth/core/manifest/check-functions.ts";
import { readYaml } from "@plinth/core/manifest/yaml-source.ts";
import { CommandFailure } from "../failure.ts";
import { note } from "../output.ts";
import { buildAlone } from "./build-lock.ts";
import { buildNode } from "./build-node.ts";
import { buildPython } from "./build-python.ts";
import { filesOf } from "./pack-files.ts";
import { pack, type Packed, type PackFile } from "./pack.ts";
import { readSourceFolder, type SourceFolder } from "./source-folder.ts";

export interface BuildPackageOptions {
  readonly name?: string | undefined;
  readonly overrides: Readonly<Record<string, string>>;
  readonly update: (text: string) => void;
}

export interface BuiltPackage extends Packed {
  readonly source: SourceFolder;
  readonly buildMs: number;
}

export async function buildPackage(path: string, options: BuildPackageOptions): Promise<BuiltPackage> {
  const startedMs = performance.now();
  const source = readSourceFolder(path, options);
  return await buildAlone(join(source.root, ".plinth", "build"), options.update, () => buildSource(source, options, startedMs));
}

async function buildSource(source: SourceFolder, options: BuildPackageOptions, startedMs: number): Promise<BuiltPackage> {
  const code = await codeOf(source, options);
  const manifest: PackFile = { path: "manifest.yaml", file: source.manifestFile, bytes: lstatSync(source.manifestFile).size };
  options.update("packing");
  const packed = await pack([manifest, ...code], join(source.root, ".plinth", "build", `${source.name}.tar.zst`));
  return { ...packed, source, buildMs: performance.now() - startedMs };
}

async function codeOf(source: SourceFolder, options: BuildPackageOptions): Promise<readonly PackFile[]> {
  switch (source.runtime) {
    case "node":
      return await buildNode(source, options);
    case "python":
      return await buildPython(source, options);
    case "wasm":
      return await buildWasm(source);
  }
}

/** Modules are taken as they are; each function is a file of its name. */
async function buildWasm(source: SourceFolder): Promise<readonly PackFile[]> {
  const files = await filesOf(source.code, "code", { without: (path) => !path.endsWith(".wasm") || path.includes("/") });
  const names = files.map(({ path }) => path.slice("code/".length, -".wasm".length));
  const { lines } = readYaml(readFileSync(source.manifestFile, "utf8"));
  const findings = checkFunctions(source.manifest, names, lines);
  const errors = findings.filter(({ severity }) => severity === "error");
  // The host says the warnings, for packages of all languages.
  for (const finding of errors) note(`manifest.yaml:${finding.line}: ${finding.severity}: ${finding.message}`);
  if (errors.length > 0) throw new CommandFailure("Functions of the manifest have no module in code/.", 4);
  return files;
}

/** The folder of a package on the author's machine: where its manifest and code lie, and what they are written in. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseManifest } from "@plinth/core/manifest/parse-manifest.ts";
import { readYaml } from "@plinth/core/manifest/yaml-source.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import { CommandFailure } from "../failure.ts";
import { checkManifest, printCheck } from "../manifest/check-manifest.ts";

export interface SourceFolder {
  readonly root: string;
  readonly manifestFile: string;
  readonly manifest: Manifest;
  readonly code: string;
  readonly runtime: "node" | "python" | "wasm";
  /** The package's name on the host, from the folder's name. */
  readonly name: string;
}

const EXIT_CODE_INVALID = 4;

/** Reads and checks the folder; with errors in the manifest it prints them and fails. */
export function readSourceFolder(path: string, options: { readonly name?: string | undefined } = {}): SourceFolder {
  const root = resolve(path);
  const check = checkManifest(root);
  if (check.errors > 0) {
    printCheck(check, false);
    throw new CommandFailure("The manifest has errors; nothing was built.", EXIT_CODE_INVALID);
  }
  const manifestFile = ["manifest.yaml", "manifest.yml"].map((name) => join(root, name)).find((file) => existsSync(file)) ?? root;
  const source = readYaml(readFileSync(manifestFile, "utf8"));
  const { manifest } = parseManifest(source.json, source.lines);
  if (manifest === null) throw new CommandFailure("The manifest cannot be read.", EXIT_CODE_INVALID);
  const code = join(root, "code");
  if (!existsSync(code))
    throw new CommandFailure(`There is no folder ${code}. The code of a package lies in \`code\` beside its manifest.`, EXIT_CODE_INVALID);
  return { root, manifestFile, manifest, code, runtime: runtimeOf(manifest, code), name: options.name ?? nameOf(root) };
}

function runtimeOf(manifest: Manifest, code: string): SourceFolder["runtime"] {
  const { runtime } = manifest.plinth;
  if (runtime !== "auto") return runtime;
  const names = readdirSync(code);
  if (names.includes("package.json")) return "node";
  if (names.some((name) => name.endsWith(".py"))) return "python";
  if (names.some((name) => name.endsWith(".wasm"))) return "wasm";
  throw new CommandFailure(`${code} holds neither package.json, nor .py files, nor .wasm files.`, EXIT_CODE_INVALID);
}

function nameOf(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .replace(/-+$/, "")
    .slice(0, 63);
  if (name === "")
    throw new CommandFailure("The name of the folder gives no name for the package; give one with --name.", EXIT_CODE_INVALID);
  return name;
}

/** Builds a Python package: its files, and what requirements.txt asks for as wheels in `site-packages`. Nothing is run. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandFailure } from "../failure.ts";
import type { BuildOptions } from "./build-node.ts";
import { hasStamp, stampOf, writeStamp } from "./build-stamp.ts";
import { distrust, installFailure } from "./install-failure.ts";
import type { PackFile } from "./pack.ts";
import { filesOf } from "./pack-files.ts";
import { runTool } from "./run-tool.ts";
import type { SourceFolder } from "./source-folder.ts";

export async function buildPython(source: SourceFolder, options: Pick<BuildOptions, "update">): Promise<readonly PackFile[]> {
  const requirements = join(source.code, "requirements.txt");
  const own = await filesOf(source.code, "code", { without: isLeftOut });
  if (!existsSync(requirements) || !asksForSomething(readFileSync(requirements, "utf8"))) return own;
  const folder = join(source.root, ".plinth", "build", "python");
  const target = join(folder, "site-packages");
  const python = process.env["PLINTH_PYTHON"] ?? "python3";
  const version = await runTool(python, ["-c", "import sys; print(sys.version_info[:2], sys.platform)"], { cwd: source.root });
  if (version.exitCode !== 0)
    throw new CommandFailure(`${python} does not run. Install CPython 3.11 or later, or name it with PLINTH_PYTHON.`, 1);
  const stamp = stampOf([requirements], [version.output]);
  const stampFile = join(folder, ".stamp");
  if (!hasStamp(stampFile, stamp)) {
    options.update("installing wheels");
    await install(python, { requirements, target, cwd: source.root, update: options.update });
    writeStamp(stampFile, stamp);
  }
  return [...own, ...(await filesOf(target, "code/site-packages", { without: isCache }))];
}

async function install(
  python: string,
  at: { readonly requirements: string; readonly target: string; readonly cwd: string; readonly update: (text: string) => void },
): Promise<void> {
  const args = ["-m", "pip", "install", "--target", at.target, "--only-binary=:all:", "--no-compile", "--disable-pip-version-check"];
  const attempt = async (more: readonly string[]) => {
    await rm(at.target, { recursive: true, force: true });
    await mkdir(at.target, { recursive: true });
    return await runTool(python, [...args, ...more, "--requirement", at.requirements], { cwd: at.cwd });
  };
  const first = await attempt([]);
  if (first.exitCode === 0) return;
  if (/No module named pip/.test(first.output))
    throw new CommandFailure(`${python} has no pip. Install it, on Debian with: apt-get install python3-pip`, 1);
  if (distrust(first.output) !== null) throw installFailure("pip", first.output);
  at.update("installing again without pip's cache");
  const second = await attempt(["--no-cache-dir"]);
  if (second.exitCode !== 0) throw installFailure("pip", second.output);
}

function asksForSomething(text: string): boolean {
  return text.split("\n").some((line) => /^\s*[^#\s]/.test(line));
}

function isLeftOut(path: string): boolean {
  return isCache(path) || /^(?:site-packages|\.?venv|tests?|\.git|\.plinth)(?:\/|$)/.test(path) || /(?:^|\/)\.env(?:\..*)?$/.test(path);
}

/** Left out of archives: what the interpreter makes itself, and programs. */
export function isCache(path: string): boolean {
  return /(?:^|\/)__pycache__(?:\/|$)/.test(path) || path.endsWith(".pyc") || path.startsWith("bin/");
}

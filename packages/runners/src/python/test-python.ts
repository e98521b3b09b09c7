/** Finds a CPython for tests and starts the runner with it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RunnerCommand } from "../conformance/runner-peer.ts";

export const RUNNER_FILE = join(import.meta.dirname, "runner.py");
const CANDIDATES = [process.env["PLINTH_TEST_PYTHON"], "/usr/bin/python3", "/usr/local/bin/python3"];
const IS_NEW_ENOUGH = "import sys; sys.exit(sys.implementation.name != 'cpython' or sys.version_info < (3, 11))";

/** The first fitting interpreter, or undefined. */
export const python: string | undefined = CANDIDATES.find(
  (candidate): candidate is string => candidate !== undefined && isUsable(candidate),
);
/** Why the tests of this machine do not run. */
export const NO_PYTHON = "no CPython >= 3.11 on this machine";

function isUsable(candidate: string): boolean {
  try {
    execFileSync(candidate, ["-I", "-S", "-c", IS_NEW_ENOUGH], { stdio: "ignore", env: {} });
    return true;
  } catch {
    return false;
  }
}

/** A package folder with these files below `code/`. */
export function packageFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-python-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, "code", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}

/** Starts the runner as the jail does, but without one. */
export function pythonCommand(folder?: string): RunnerCommand {
  return {
    file: python ?? "python3",
    args: ["-I", "-S", "-B", RUNNER_FILE],
    env: { PYTHONHASHSEED: "random", ...(folder === undefined ? {} : { PLINTH_PACKAGE_FOLDER: folder }) },
  };
}

/** Finds a CPython for tests and starts the runner with it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { CallLimits, InlineResult, RunnerFailureKind } from "@plinth/core/protocol/runner-protocol.ts";
import { type RunnerCommand, RunnerPeer } from "../conformance/runner-peer.ts";

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

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A package folder with these files below `code/`. */
export function packageFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-python-"));
  folders.push(folder);
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

export interface InlineOptions {
  readonly inputs?: unknown;
  readonly keyrings?: Readonly<Record<string, string>>;
  readonly streams?: boolean;
  readonly limits?: Partial<CallLimits>;
  /** Of the packages that come with the code. */
  readonly modules?: readonly string[];
  readonly heapBytes?: number;
  /** The host's patience; then the process is killed, as the host does. */
  readonly killAfterMs?: number;
}

export type InlineOutcome =
  | { readonly kind: "result"; readonly value: InlineResult; readonly logs: readonly string[]; readonly ms: number }
  | { readonly kind: "killed"; readonly message: string; readonly logs: readonly string[]; readonly ms: number }
  | { readonly kind: RunnerFailureKind; readonly message: string; readonly logs: readonly string[]; readonly ms: number };

/** Runs inline code in a process of its own; `ms` counts from its start. */
export async function runInline(code: string, options: InlineOptions = {}, command = pythonCommand()): Promise<InlineOutcome> {
  const startMs = performance.now();
  const peer = new RunnerPeer(command);
  const killing = setTimeout(() => peer.process.kill("SIGKILL"), options.killAfterMs ?? 20_000);
  const ms = (): number => performance.now() - startMs;
  try {
    await peer.hello({ heapBytes: options.heapBytes ?? limit("inlineMemoryBytesMax") });
    await peer.load("inline-python", JSON.stringify({ functions: [], modules: options.modules ?? [] }));
    const outcome = await peer.invoke({
      version: "inline-python",
      kind: "inline",
      args: JSON.stringify({ code, inputs: options.inputs ?? {}, keyrings: options.keyrings ?? {}, streams: options.streams ?? false }),
      limits: { cpuMs: 30_000, wallMs: 30_000, ...options.limits },
    });
    const logs = outcome.logs.map(({ text }) => text);
    if (outcome.kind === "result") return { kind: "result", value: JSON.parse(outcome.text) as InlineResult, logs, ms: ms() };
    return { kind: outcome.kind, message: outcome.failure.message, logs, ms: ms() };
  } catch (error) {
    return { kind: "killed", message: String(error), logs: [], ms: ms() };
  } finally {
    clearTimeout(killing);
    await peer.close();
  }
}

/** The programs of the runners package, as programs for jails: built when their sources changed. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunnerProgram } from "./image.ts";

/** Files of the folders that the bundles are made from; the files' dates and sizes stand for their content. */
const SOURCES = ["@plinth/runners/isolate/build-image.ts", "@plinth/core/protocol/frames.ts"];

/** `name` is a folder of the runners package; `parts` are what the jail needs to find under `/app`. */
export function runnerProgram(name: string, parts: readonly string[]): RunnerProgram {
  return {
    key: async () => `${name} ${await sourcesKey()}`,
    build: async (folder) => {
      await promisify(execFile)(process.execPath, [join(import.meta.dirname, "build-runner-program.ts"), name, folder], { env: {} });
      for (const file of parts) await access(join(folder, file));
    },
  };
}

/** Changes with the sources of any runner. */
async function sourcesKey(): Promise<string> {
  const folders = SOURCES.map((source) => dirname(dirname(fileURLToPath(import.meta.resolve(source)))));
  const lists = await Promise.all(folders.map((folder) => listOf(folder)));
  return createHash("sha256")
    .update(JSON.stringify([process.version, process.arch, lists]))
    .digest("hex");
}

async function listOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => /\.[cm]?[jt]s$/.test(name) && !name.endsWith(".test.ts"))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const entry = await stat(join(folder, name));
      return `${name} ${entry.size} ${entry.mtimeMs}`;
    }),
  );
}

/** The isolate runtime as a program for jails: built from the runners package when its sources changed. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunnerProgram } from "./image.ts";

/** Files that the bundle is made from; their dates and sizes stand for their content. */
const SOURCES = ["@plinth/runners/isolate/build-image.ts", "@plinth/core/protocol/frames.ts"];

/** What the jail needs to find under `/app`. */
const PARTS = ["runner.js", "isolated-vm.node"];

export function isolateProgram(): RunnerProgram {
  return {
    key: async () => {
      const folders = SOURCES.map((source) => dirname(dirname(fileURLToPath(import.meta.resolve(source)))));
      const lists = await Promise.all(folders.map((folder) => listOf(folder)));
      return createHash("sha256")
        .update(JSON.stringify([process.version, process.arch, lists]))
        .digest("hex");
    },
    build: async (folder) => {
      await promisify(execFile)(process.execPath, [join(import.meta.dirname, "build-isolate-program.ts"), folder], { env: {} });
      for (const file of PARTS) await access(join(folder, file));
    },
  };
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

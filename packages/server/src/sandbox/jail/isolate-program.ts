/** The isolate runtime as a program for jails: built from the runners package when its sources changed. */
import { createHash } from "node:crypto";
import { copyFile, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunnerProgram } from "./image.ts";

/** Files that the bundle is made from; their dates and sizes stand for their content. */
const SOURCES = ["@plinth/runners/isolate/build-image.ts", "@plinth/core/protocol/frames.ts"];

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
      // Loaded only when needed: the bundler is not part of a host that finds its image built.
      const { buildIsolateImage } = await import("@plinth/runners/isolate/build-image.ts");
      const { runnerFile, addonFile } = await buildIsolateImage({ outDir: folder });
      await place(runnerFile, join(folder, "runner.js"));
      await place(addonFile, join(folder, "isolated-vm.node"));
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

async function place(source: string, target: string): Promise<void> {
  if (source !== target) await copyFile(source, target);
}

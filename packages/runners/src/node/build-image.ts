/** Builds what the jail sees as `/app`: the runner, and what its worker threads start with. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const STAMP_FILE = "sources.sha256";
/**
 * User code may replace globals and their functions for its own purposes, and some libraries do; the runner goes on with what was there
 * at its start. Name → what the runner sees under it.
 */
const KEPT_GLOBALS: Readonly<Record<string, string>> = {
  JSON: "{parse:JSON.parse,stringify:JSON.stringify}",
  Buffer: "{from:Buffer.from,concat:Buffer.concat,byteLength:Buffer.byteLength,alloc:Buffer.alloc}",
  Reflect: "{apply:Reflect.apply}",
  Promise: "Promise",
  Map: "Map",
  clearTimeout: "clearTimeout",
  clearImmediate: "clearImmediate",
};

export interface NodeImage {
  readonly runnerFile: string;
  readonly preloadFile: string;
}

/** Flags of Node that the runner counts on, whatever provider starts it. */
export const NODE_RUNNER_FLAGS: readonly string[] = ["--disable-sigusr1", "--no-experimental-ffi", "--no-warnings=ExperimentalWarning"];

/** Builds the image into `outDir`, which may hold an earlier one. */
export async function buildNodeImage({ outDir }: { readonly outDir: string }): Promise<NodeImage> {
  const image: NodeImage = { runnerFile: join(outDir, "runner.js"), preloadFile: join(outDir, "worker-preload.js") };
  const digest = await nodeSourcesDigest();
  const stamp = await readFile(join(outDir, STAMP_FILE), "utf8").catch(() => "");
  if (stamp === digest) return image;
  await mkdir(outDir, { recursive: true });
  const keptNames = Object.keys(KEPT_GLOBALS);
  await build({
    entryPoints: [join(FOLDER, "runner.ts"), join(FOLDER, "worker-preload.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "esnext",
    outdir: outDir,
    minifyWhitespace: true,
    banner: { js: `"use strict";${keptNames.map((name) => `const plinth${name}=${KEPT_GLOBALS[name]};`).join("")}` },
    define: Object.fromEntries(keptNames.map((name) => [name, `plinth${name}`])),
    logLevel: "silent",
  });
  // Node takes a `.js` file for what the nearest package says.
  await writeFile(join(outDir, "package.json"), '{"type":"commonjs"}\n');
  await writeFile(join(outDir, STAMP_FILE), digest);
  return image;
}

/** Changes when the image would be another one. */
export async function nodeSourcesDigest(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  const core = join(FOLDER, "../../../core/src");
  for (const folder of [FOLDER, join(core, "protocol"), join(core, "documents")]) {
    const files = (await readdir(folder, { recursive: true }))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .toSorted();
    for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  }
  hash.update(await readFile(join(core, "limits.ts")));
  return hash.digest("hex");
}

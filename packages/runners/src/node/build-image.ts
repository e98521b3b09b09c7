/** Builds what the jail sees as `/app`: the runner, and what its worker threads start with. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sourcesDigest, writeImage } from "../image/image-folder.ts";

const FOLDER = dirname(fileURLToPath(import.meta.url));
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
  await writeImage(outDir, await nodeSourcesDigest(), () => bundle(outDir));
  return image;
}

async function bundle(outdir: string): Promise<void> {
  const keptNames = Object.keys(KEPT_GLOBALS);
  await build({
    entryPoints: [join(FOLDER, "runner.ts"), join(FOLDER, "worker-preload.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "esnext",
    outdir,
    minifyWhitespace: true,
    banner: { js: `"use strict";${keptNames.map((name) => `const plinth${name}=${KEPT_GLOBALS[name]};`).join("")}` },
    define: Object.fromEntries(keptNames.map((name) => [name, `plinth${name}`])),
    logLevel: "silent",
  });
}

/** Changes when the image would be another one. */
export async function nodeSourcesDigest(): Promise<string> {
  return await sourcesDigest([FOLDER]);
}

/** For tests: makes the script of a version from sources, as the CLI's bundler does, and starts runners. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MODULES_GLOBAL } from "@plinth/core/protocol/runner-protocol.ts";
import { build, type Plugin } from "esbuild";
import { afterAll } from "vitest";
import { type RunnerCommand, RunnerPeer } from "../conformance/runner-peer.ts";
import { buildIsolateImage } from "./build-image.ts";

const FOLDER = dirname(fileURLToPath(import.meta.url));

export interface TestVersion {
  readonly script: string;
  readonly sourceMap: string;
}

/** Bundles modules: name without extension → TypeScript. They may import `convex/server` and `convex/values`. */
export async function bundleVersion(modules: Readonly<Record<string, string>>): Promise<TestVersion> {
  const root = join(FOLDER, "convex");
  const entry = `globalThis.${MODULES_GLOBAL} = {${Object.keys(modules)
    .map((name) => `${JSON.stringify(name)}: () => require("./${name}.ts")`)
    .join(", ")}};`;
  const sources: Plugin = {
    name: "sources",
    setup(at) {
      at.onResolve({ filter: /^\.\/.*\.ts$/ }, ({ path }) => ({ path: join(root, path) }));
      at.onLoad({ filter: /\/isolate\/convex\/.*\.ts$/ }, ({ path }) => ({
        contents: modules[path.slice(root.length + 1, -3)] ?? "",
        loader: "ts",
        resolveDir: FOLDER,
      }));
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root, sourcefile: "plinth-entry.js" },
    bundle: true,
    format: "iife",
    target: "esnext",
    platform: "browser",
    conditions: ["convex", "module"],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: "external",
    sourcesContent: false,
    outfile: join(FOLDER, "_plinth", "version.js"),
    write: false,
    logLevel: "silent",
    plugins: [sources],
  });
  const text = (suffix: string) => outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
  return { script: text("version.js"), sourceMap: text("version.js.map") };
}

let image: Promise<string> | undefined;
let imageFolder: string | undefined;
afterAll(async () => {
  if (imageFolder !== undefined) await rm(imageFolder, { recursive: true, force: true });
});

/** The command of the real runner, without a jail. */
export async function runnerCommand(): Promise<RunnerCommand> {
  image ??= mkdtemp(join(tmpdir(), "plinth-isolate-")).then(async (outDir) => {
    imageFolder = outDir;
    return (await buildIsolateImage({ outDir })).runnerFile;
  });
  return { file: process.execPath, args: ["--no-node-snapshot", "--single-threaded-gc", "--max-old-space-size=64", await image] };
}

/** A runner that has loaded one version, under the name `v`. */
export async function startRunner(
  modules: Readonly<Record<string, string>>,
  options: { readonly isolates?: number; readonly heapBytes?: number } = {},
): Promise<RunnerPeer> {
  const [command, version] = await Promise.all([runnerCommand(), bundleVersion(modules)]);
  const peer = new RunnerPeer(command);
  await peer.hello(options);
  const { envelope, text } = await peer.load("v", version.script, version.sourceMap);
  if (envelope.type !== "loaded") throw new Error(`the version does not load: ${text}`);
  return peer;
}

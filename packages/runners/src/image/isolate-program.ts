/** Runners that keep V8 isolates: the runner with the program of its isolates in one file, and the native file of isolated-vm. */
import { copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";

/** How the bundler words the guest's one export; as an object of exports it would be made anew in every context. */
const GUEST_EXPORT = "export{enter};";

export interface IsolateImage {
  readonly runnerFile: string;
  readonly addonFile: string;
}

export function isolateImageIn(outDir: string): IsolateImage {
  return { runnerFile: join(outDir, "runner.js"), addonFile: join(outDir, "isolated-vm.node") };
}

/** Bundles `runner.ts` of a folder, which imports its `guest/main.ts` as the text `plinth:guest-source`. */
export async function buildIsolateProgram(
  folder: string,
  image: IsolateImage,
  guest: Pick<BuildOptions, "plugins" | "mainFields"> = {},
): Promise<void> {
  const source = await bundleGuest(join(folder, "guest/main.ts"), guest);
  const guestSource: Plugin = {
    name: "guest-source",
    setup(at) {
      at.onResolve({ filter: /^plinth:guest-source$/ }, ({ path }) => ({ path, namespace: "plinth" }));
      at.onLoad({ filter: /.*/, namespace: "plinth" }, () => ({
        contents: `export const guestSource = ${JSON.stringify(source)};`,
        loader: "js",
      }));
    },
  };
  await build({
    entryPoints: [join(folder, "runner.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "esnext",
    outfile: image.runnerFile,
    plugins: [guestSource],
    logLevel: "silent",
  });
  await copyFile(nativeFile(), image.addonFile);
}

/** The guest as one expression whose value is `enter`: nothing of it is a name in the user's scope. */
async function bundleGuest(entry: string, options: Pick<BuildOptions, "plugins" | "mainFields">): Promise<string> {
  const result = await build({
    ...options,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    minifyWhitespace: true,
    write: false,
    logLevel: "silent",
    // Strict code keeps its functions out of reach of a user's Error.prepareStackTrace.
    banner: { js: '(function(){"use strict";' },
    footer: { js: "return enter})()" },
  });
  const text = result.outputFiles?.[0]?.text ?? "";
  if (!text.includes(GUEST_EXPORT)) throw new Error("the guest does not export what it should");
  return text.replace(GUEST_EXPORT, "");
}

/** The file of isolated-vm for this machine; its name says for which Node. */
export function nativeFile(): string {
  const folder = dirname(createRequire(import.meta.url).resolve("isolated-vm/package.json"));
  return join(folder, "prebuilds", `linux-${process.arch}`, `isolated-vm.abi${process.versions.modules}.glibc.node`);
}

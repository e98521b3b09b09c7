/**
 * Builds what the jail sees as `/app`: the runner and its guest in one file, and the native file of
 * isolated-vm. Takes a fraction of a second, and nothing when its sources did not change.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { webParts } from "./web-parts.ts";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const STAMP_FILE = "sources.sha256";
/** How the bundler words the guest's one export; as an object of exports it would be made anew in every context. */
const GUEST_EXPORT = "export{enter};";

export interface IsolateImage {
  readonly runnerFile: string;
  readonly addonFile: string;
}

/** Builds the image into `outDir`, which may hold an earlier one. */
export async function buildIsolateImage({ outDir }: { readonly outDir: string }): Promise<IsolateImage> {
  const image: IsolateImage = { runnerFile: join(outDir, "runner.js"), addonFile: join(outDir, "isolated-vm.node") };
  const digest = await isolateSourcesDigest();
  const stamp = await readFile(join(outDir, STAMP_FILE), "utf8").catch(() => "");
  if (stamp === digest) return image;
  await mkdir(outDir, { recursive: true });
  await bundleRunner(image.runnerFile);
  await copyFile(nativeFile(), image.addonFile);
  // Node takes a `.js` file for what the nearest package says.
  await writeFile(join(outDir, "package.json"), '{"type":"commonjs"}\n');
  await writeFile(join(outDir, STAMP_FILE), digest);
  return image;
}

/** Changes when the image would be another one. */
export async function isolateSourcesDigest(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  const core = join(FOLDER, "../../../core/src");
  for (const folder of [FOLDER, join(core, "protocol"), join(core, "documents")]) {
    const files = (await readdir(folder, { recursive: true }))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .toSorted();
    for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  }
  // The second names the versions of the packages that are bundled.
  for (const file of [join(core, "limits.ts"), join(FOLDER, "../../package.json")]) hash.update(await readFile(file));
  hash.update(nativeFile());
  return hash.digest("hex");
}

async function bundleRunner(outfile: string): Promise<void> {
  const guest = await bundleGuest();
  const guestSource: Plugin = {
    name: "guest-source",
    setup(at) {
      at.onResolve({ filter: /^plinth:guest-source$/ }, ({ path }) => ({ path, namespace: "plinth" }));
      at.onLoad({ filter: /.*/, namespace: "plinth" }, () => ({
        contents: `export const guestSource = ${JSON.stringify(guest)};`,
        loader: "js",
      }));
    },
  };
  await build({
    entryPoints: [join(FOLDER, "runner.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "esnext",
    outfile,
    plugins: [guestSource],
    logLevel: "silent",
  });
}

/** The guest as one expression whose value is `enter`: nothing of it is a name in the user's scope. */
async function bundleGuest(): Promise<string> {
  const result = await build({
    entryPoints: [join(FOLDER, "guest/main.ts")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "esnext",
    minifyWhitespace: true,
    write: false,
    plugins: [webParts()],
    logLevel: "silent",
    // Strict code keeps its functions out of reach of a user's Error.prepareStackTrace.
    banner: { js: '(function(){"use strict";' },
    footer: { js: "return enter})()" },
  });
  const text = result.outputFiles[0]?.text ?? "";
  if (!text.includes(GUEST_EXPORT)) throw new Error("the guest does not export what it should");
  return text.replace(GUEST_EXPORT, "");
}

function nativeFile(): string {
  const folder = dirname(createRequire(import.meta.url).resolve("isolated-vm/package.json"));
  return join(folder, "prebuilds", `linux-${process.arch}`, `isolated-vm.abi${process.versions.modules}.glibc.node`);
}

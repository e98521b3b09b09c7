/** Builds what the jail sees as `/app`: the runner with the program of its isolate in one file, and the native file of isolated-vm. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const STAMP_FILE = "sources.sha256";
const GUEST_EXPORT = "export{enter};";

export interface WasmImage {
  readonly runnerFile: string;
  readonly addonFile: string;
}

/** Flags of Node that the runner counts on, whatever provider starts it. */
export const WASM_RUNNER_FLAGS: readonly string[] = ["--no-node-snapshot", "--disable-sigusr1", "--no-experimental-ffi"];

/** Builds the image into `outDir`, which may hold an earlier one. */
export async function buildWasmImage({ outDir }: { readonly outDir: string }): Promise<WasmImage> {
  const image: WasmImage = { runnerFile: join(outDir, "runner.js"), addonFile: join(outDir, "isolated-vm.node") };
  const digest = await wasmSourcesDigest();
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
export async function wasmSourcesDigest(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  const core = join(FOLDER, "../../../core/src");
  for (const folder of [FOLDER, join(FOLDER, "../isolate"), join(FOLDER, "../node"), join(core, "protocol"), join(core, "documents")]) {
    const files = (await readdir(folder, { recursive: true }))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .toSorted();
    for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  }
  hash.update(await readFile(join(core, "limits.ts"))).update(nativeFile());
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

/** The guest as one expression whose value is `enter`. */
async function bundleGuest(): Promise<string> {
  const result = await build({
    entryPoints: [join(FOLDER, "guest/main.ts")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    minifyWhitespace: true,
    write: false,
    logLevel: "silent",
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

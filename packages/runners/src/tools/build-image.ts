/** Builds the package of Plinth's own tools: what a process of the node runtime sees as `/package`. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** Builds into `outDir`, which exists. */
export async function buildToolsImage({ outDir }: { readonly outDir: string }): Promise<void> {
  await mkdir(join(outDir, "code"), { recursive: true });
  await build({
    entryPoints: [join(FOLDER, "tools.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "esnext",
    minifyWhitespace: true,
    outfile: join(outDir, "code", "index.js"),
    logLevel: "silent",
  });
  await writeFile(join(outDir, "code", "package.json"), '{"name":"plinth-tools","type":"commonjs","main":"index.js"}\n');
}

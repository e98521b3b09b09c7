/** The folder that a jail sees as `/app`: made from sources of TypeScript, and again only when these have changed. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CORE = join(dirname(fileURLToPath(import.meta.url)), "../../../core/src");
const STAMP_FILE = "sources.sha256";

/** Runs `build` in `outDir`, which may hold an image of other sources; not when it holds one of these. */
export async function writeImage(outDir: string, digest: string, build: () => Promise<void>): Promise<void> {
  const stamp = await readFile(join(outDir, STAMP_FILE), "utf8").catch(() => "");
  if (stamp === digest) return;
  await mkdir(outDir, { recursive: true });
  await build();
  // Node takes a `.js` file for what the nearest package says.
  await writeFile(join(outDir, "package.json"), '{"type":"commonjs"}\n');
  await writeFile(join(outDir, STAMP_FILE), digest);
}

/** Changes when an image of these folders, and of what all runners share, would be another one. `more` is other text that it depends on. */
export async function sourcesDigest(folders: readonly string[], more = ""): Promise<string> {
  const hash = createHash("sha256").update(process.version).update(more);
  for (const folder of [...folders, import.meta.dirname, join(CORE, "protocol"), join(CORE, "documents")]) {
    const files = (await readdir(folder, { recursive: true }))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .toSorted();
    for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.update(await readFile(join(CORE, "limits.ts"))).digest("hex");
}

/**
 * Builds what the jail sees as `/app`: the runner and its guest in one file, and the native file of
 * isolated-vm. Takes a fraction of a second, and nothing when its sources did not change.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourcesDigest, writeImage } from "../image/image-folder.ts";
import { buildIsolateProgram, isolateImageIn, nativeFile, type IsolateImage } from "../image/isolate-program.ts";
import { webParts } from "./web-parts.ts";

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** Builds the image into `outDir`, which may hold an earlier one. */
export async function buildIsolateImage({ outDir }: { readonly outDir: string }): Promise<IsolateImage> {
  const image = isolateImageIn(outDir);
  await writeImage(outDir, await isolateSourcesDigest(), () =>
    buildIsolateProgram(FOLDER, image, { mainFields: ["module", "main"], plugins: [webParts()] }),
  );
  return image;
}

/** Changes when the image would be another one. */
export async function isolateSourcesDigest(): Promise<string> {
  // The package names the versions of what is bundled.
  return await sourcesDigest([FOLDER], nativeFile() + (await readFile(join(FOLDER, "../../package.json"), "utf8")));
}

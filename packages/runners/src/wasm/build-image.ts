/** Builds what the jail sees as `/app`: the runner with the program of its isolate in one file, and the native file of isolated-vm. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourcesDigest, writeImage } from "../image/image-folder.ts";
import { buildIsolateProgram, isolateImageIn, nativeFile, type IsolateImage } from "../image/isolate-program.ts";

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** Flags of Node that the runner counts on, whatever provider starts it. */
export const WASM_RUNNER_FLAGS: readonly string[] = ["--no-node-snapshot", "--disable-sigusr1", "--no-experimental-ffi"];

/** Builds the image into `outDir`, which may hold an earlier one. */
export async function buildWasmImage({ outDir }: { readonly outDir: string }): Promise<IsolateImage> {
  const image = isolateImageIn(outDir);
  await writeImage(outDir, await wasmSourcesDigest(), () => buildIsolateProgram(FOLDER, image));
  return image;
}

/** Changes when the image would be another one. */
export async function wasmSourcesDigest(): Promise<string> {
  return await sourcesDigest([FOLDER, join(FOLDER, "../isolate"), join(FOLDER, "../node")], nativeFile());
}

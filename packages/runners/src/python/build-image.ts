/**
 * Builds what the jail sees as `/app`: the Python files and, beside them, their compiled form for the interpreter that will run
 * them. The compiled files are not compared with the sources when they are loaded, which saves the look.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const COMPILE =
  "import compileall, py_compile, sys; sys.exit(not compileall.compile_dir(sys.argv[1], quiet=1, stripdir=sys.argv[1], prependdir='/app', invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH))";

/** Names of the Python files, sorted, relative to this folder. */
async function pythonFiles(): Promise<readonly string[]> {
  const files = await readdir(FOLDER, { recursive: true });
  return files.filter((file) => file.endsWith(".py") && !file.includes("__pycache__") && !file.startsWith("fixtures")).toSorted();
}

/** Copies the runner into `outDir`, which exists and is empty, and compiles it with `python`. */
export async function buildPythonImage({ outDir, python }: { readonly outDir: string; readonly python: string }): Promise<void> {
  for (const file of await pythonFiles()) {
    await mkdir(dirname(join(outDir, file)), { recursive: true });
    await cp(join(FOLDER, file), join(outDir, file));
  }
  await promisify(execFile)(python, ["-I", "-S", "-c", COMPILE, outDir], { env: {} });
}

/** Changes when the image would be another one. */
export async function pythonSourcesDigest(): Promise<string> {
  const hash = createHash("sha256").update("1");
  for (const file of await pythonFiles()) hash.update(file).update(await readFile(join(FOLDER, file)));
  return hash.digest("hex");
}

/**
 * The python runtime: CPython of the machine, one call per process at a time. The cell sees the interpreter, the shared libraries
 * that it and its standard library need, and the standard library, all where they lie on the host.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildPythonImage, pythonSourcesDigest } from "@plinth/runners/python/build-image.ts";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isReachableByAll, librariesOf, prepareSharedFolder, sharedBaseFolder, touchStamp } from "../jail/image.ts";
import { APP_FOLDER } from "./node-image.ts";
import type { PrepareOptions, ProgramImage, RuntimeAdapter } from "./runtime-adapter.ts";

const CANDIDATES = ["/usr/bin/python3.14", "/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11", "/usr/bin/python3"];
const VERSION_MIN: readonly [number, number] = [3, 11];

/** Isolated, without site packages, without writing byte code. */
const FLAGS = ["-I", "-S", "-B", "-X", "utf8"];

/** Parts of the standard library for terminals and windows; their libraries stay out of the cell. */
const NOT_OFFERED = /^(_tkinter|_curses|_curses_panel|readline|_dbm|_gdbm|nis|ossaudiodev|_test\w*|_ctypes_test|xx\w*)\./;

const ABOUT = `
import json, sys, sysconfig
paths = sysconfig.get_paths()
print(json.dumps([sys.version_info[0], sys.version_info[1], sys.version, paths["stdlib"], paths["platstdlib"]]))
`;

interface Python {
  readonly file: string;
  readonly version: string;
  /** Folders of the standard library. */
  readonly folders: readonly string[];
}

/** What lies under `/app`, made for an interpreter; it speaks the protocol as `/app/runner.py`. */
export interface PythonProgram {
  key(): Promise<string>;
  build(options: { readonly outDir: string; readonly python: string }): Promise<void>;
}

const HARNESS: PythonProgram = { key: pythonSourcesDigest, build: buildPythonImage };

export function pythonRuntime(program: PythonProgram = HARNESS): RuntimeAdapter {
  return {
    name: "python",
    prepare: (options) => preparePythonImage(program, options),
    places: 1,
    reuse: true,
    memoryBytes: { usual: limit("packageMemoryBytes"), max: limit("packageMemoryBytesMax") },
  };
}

async function preparePythonImage(program: PythonProgram, options: PrepareOptions): Promise<ProgramImage> {
  const python = await findPython(options.python);
  const base = options.imageFolder ?? (await sharedBaseFolder());
  const [libraries, app] = await Promise.all([pythonLibraries(python), prepareApp(python, { program, base })]);
  return {
    runtime: "python",
    key: createHash("sha256")
      .update(JSON.stringify([python, libraries, app]))
      .digest("hex"),
    mounts: [
      { source: python.file, target: python.file },
      ...libraries,
      ...python.folders.map((folder) => ({ source: folder, target: folder })),
      { source: join(app, "content"), target: APP_FOLDER },
    ],
    command: [python.file, ...FLAGS, `${APP_FOLDER}/runner.py`],
    environment: {},
    profile: "nojit",
    used: touchStamp([app]),
  };
}

/** One image for each interpreter: the byte code in it is that of its version. */
function prepareApp(python: Python, { program, base }: { readonly program: PythonProgram; readonly base: string }): Promise<string> {
  return prepareSharedFolder({
    base,
    name: "image",
    key: async () => `python ${python.file} ${python.version} ${await program.key()}`,
    fill: (outDir) => program.build({ outDir, python: python.file }),
  });
}

async function findPython(chosen: string | undefined): Promise<Python> {
  const reasons: string[] = [];
  for (const candidate of chosen === undefined ? CANDIDATES : [chosen]) {
    const python = await inspect(candidate);
    if (typeof python !== "string") return python;
    reasons.push(python);
  }
  throw notAvailable(reasons.at(-1) ?? "");
}

/** The interpreter, or why it cannot be used. */
async function inspect(candidate: string): Promise<Python | string> {
  const file = await realpath(candidate).catch(() => undefined);
  if (file === undefined) return `there is no ${candidate}`;
  const about = await run(file, ["-I", "-S", "-c", ABOUT]).then(parseAbout, () => undefined);
  if (about === undefined) return `${candidate} does not run`;
  if (about.major !== VERSION_MIN[0] || about.minor < VERSION_MIN[1]) return `${candidate} is older than ${VERSION_MIN.join(".")}`;
  const folders = [...new Set(await Promise.all(about.folders.map((folder) => realpath(folder))))];
  // Jails of a host that is root run as users of their own, and none of them may be able to change it.
  if (process.getuid?.() === 0)
    for (const path of [file, ...folders])
      if (!(await isReachableByAll(path))) return `${path} cannot be reached by every user, or changed by others`;
  return { file, version: about.version, folders };
}

function parseAbout(
  text: string,
): { readonly major: number; readonly minor: number; readonly version: string; readonly folders: readonly string[] } | undefined {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed) || parsed.length !== 5) return undefined;
  const [major, minor, version, ...folders] = parsed.map(String);
  return { major: Number(major), minor: Number(minor), version: version ?? "", folders };
}

async function pythonLibraries(python: Python): Promise<Awaited<ReturnType<typeof librariesOf>>> {
  // Node's own libraries are those that built Python packages count on besides what they bring: of C++ and of the compiler.
  const files = [python.file, process.execPath];
  for (const folder of python.folders) {
    const dynamic = join(folder, "lib-dynload");
    for (const name of await readdir(dynamic).catch(() => []))
      if (name.endsWith(".so") && !NOT_OFFERED.test(name)) files.push(join(dynamic, name));
  }
  return librariesOf(...files);
}

async function run(file: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(file, args, { env: { LC_ALL: "C.UTF-8" }, cwd: "/" })).stdout;
}

function notAvailable(reason: string): PlinthError {
  return plinthError("NotAvailable", {
    what: `The python runtime (${reason}; run \`sudo apt-get install python3\`, or name a CPython of 3.11 or later with --python)`,
  });
}

/** Whether the machine has what the runtime needs, for tests. */
export async function hasPython(): Promise<boolean> {
  return (
    await Promise.all(
      CANDIDATES.map((file) =>
        stat(file).then(
          () => true,
          () => false,
        ),
      ),
    )
  ).includes(true);
}

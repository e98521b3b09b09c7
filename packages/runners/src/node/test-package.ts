/** For tests: writes packages into temporary folders and starts the real runner on them, without a jail. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { type RunnerCommand, RunnerPeer } from "../conformance/runner-peer.ts";
import { buildNodeImage, NODE_RUNNER_FLAGS } from "./build-image.ts";

export const VERSION = "v";

const folders: string[] = [];
afterAll(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder that lasts as long as the tests of a file. */
async function temporaryFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  folders.push(folder);
  return folder;
}

/** Writes files, path → text, and returns their folder. */
export async function writePackage(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder("plinth-package-");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** A snap-in's code whose functions are the fields of `functions`, each the text of a function expression. */
export function snapIn(functions: Readonly<Record<string, string>>, before = ""): Readonly<Record<string, string>> {
  const entries = Object.entries(functions).map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
  return {
    "code/package.json": '{"name":"test","main":"./dist/index.js"}',
    "code/dist/index.js": `${before}\nexports.functionFactory = {\n${entries.join(",\n")}\n};\n`,
  };
}

let image: Promise<string> | undefined;

/** The command of the real runner on a package folder. */
export async function runnerCommand(folder: string): Promise<RunnerCommand> {
  image ??= temporaryFolder("plinth-node-").then(async (outDir) => (await buildNodeImage({ outDir })).runnerFile);
  return {
    file: process.execPath,
    args: [...NODE_RUNNER_FLAGS, "--max-old-space-size=64", await image],
    env: { PLINTH_PACKAGE_FOLDER: folder },
  };
}

/** A runner that has loaded the package, under the name `v`. */
export async function startRunner(functions: Readonly<Record<string, string>>, before = ""): Promise<RunnerPeer> {
  const peer = new RunnerPeer(await runnerCommand(await writePackage(snapIn(functions, before))));
  await peer.hello();
  const { envelope, text } = await peer.load(VERSION, JSON.stringify({ functions: Object.keys(functions) }));
  if (envelope.type !== "loaded") throw new Error(`the package does not load: ${text}`);
  return peer;
}

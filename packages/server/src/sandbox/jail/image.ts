/**
 * The runtime image: the few host files that a jail sees. They must be reachable for the user that the
 * jail runs as. A host that runs as root drops each jail to a user of its own, which may not enter the
 * folder that Plinth lies in, so the image is put into a folder that everybody can enter.
 *
 * Such a folder may lie where other users can write too. It is built under a name that nobody can guess,
 * moved into place in one step, and before it is used again its owner, mode and stamp are checked.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { promisify } from "node:util";
import { assert } from "@plinth/core/assert.ts";
import { PROBE_FILE, PROBE_SCRIPT } from "./probe-script.ts";

/** What runs in the jail, before it is an image. */
export interface RunnerProgram {
  /** Changes when `build` would make something else. */
  key(): Promise<string>;
  /** Writes the files of `/app` into a folder. */
  build(folder: string): Promise<void>;
}

export interface RuntimeImage {
  /** Changes with any of its files. */
  readonly key: string;
  /** Host folder that the jail sees as `/app`. */
  readonly appFolder: string;
  /** Host file that the jail sees as `/usr/bin/node`. */
  readonly nodeFile: string;
  readonly libraries: readonly Library[];
  /** Says that the image is in use; folders that nobody used for long are removed by later hosts. */
  used(nowMs: number): void;
}

export interface Library {
  readonly source: string;
  /** Where the loader looks for it. */
  readonly target: string;
}

const FORMAT = "1";
const STAMP = "stamp";
const DAY_MS = 86_400_000;
const TOUCH_MS = DAY_MS;
const UNUSED_MS = 30 * DAY_MS;

/** Makes the image, or finds the one that an earlier start made. */
export async function prepareRuntimeImage(options: {
  readonly program: RunnerProgram;
  readonly nowMs: number;
  readonly baseFolder?: string;
}): Promise<RuntimeImage> {
  const base = options.baseFolder ?? (await sharedBaseFolder());
  const nodeFile = await realpath(process.execPath);
  const [libraries, sharedNode, app] = await Promise.all([
    librariesOf(nodeFile),
    prepareNode(nodeFile, base),
    prepareApp(options.program, base),
  ]);
  await removeUnused(base, options.nowMs);
  const folders = [app, dirname(sharedNode)].map((content) => dirname(content)).filter((folder) => folder.startsWith(base));
  return {
    key: createHash("sha256")
      .update(JSON.stringify([app, sharedNode, libraries]))
      .digest("hex"),
    appFolder: app,
    nodeFile: sharedNode,
    libraries,
    used: touchStamp(folders),
  };
}

/** Dates the stamps of shared folders anew, once a day, so that later hosts know that they are in use. */
export function touchStamp(folders: readonly string[]): (nowMs: number) => void {
  let touchedMs = 0;
  return (nowMs) => {
    if (nowMs - touchedMs < TOUCH_MS) return;
    touchedMs = nowMs;
    for (const folder of folders) void utimes(join(folder, STAMP), nowMs / 1000, nowMs / 1000).catch(() => undefined);
  };
}

/** The program with the script of the probe beside it. */
export function withProbe(program: RunnerProgram): RunnerProgram {
  return {
    key: async () => `${await program.key()} ${PROBE_SCRIPT}`,
    build: async (folder) => {
      await program.build(folder);
      await writeFile(join(folder, PROBE_FILE), PROBE_SCRIPT, { mode: 0o644 });
    },
  };
}

async function prepareApp(program: RunnerProgram, base: string): Promise<string> {
  const folder = await prepareSharedFolder({ base, name: "image", key: `app ${await program.key()}`, fill: (into) => program.build(into) });
  return join(folder, "content");
}

/**
 * Node itself, where every user can reach it and an update of the packages does not take it away from a
 * running host: a hard link when that is as safe as a copy, a copy where it has to be.
 */
async function prepareNode(nodeFile: string, base: string): Promise<string> {
  const file = await stat(nodeFile, { bigint: true });
  // A link shares its content with the original: only when no other user may write that.
  const mayLink = file.uid === BigInt(ownUid()) && (file.mode & 0o022n) === 0n && (file.mode & 0o555n) === 0o555n;
  const mustCopy = isRoot() && !(await isReachableByAll(nodeFile));
  const key = `node ${process.version} ${process.arch} ${nodeFile} ${file.size} ${file.mtimeNs} ${file.ino}`;
  try {
    const folder = await prepareSharedFolder({
      base,
      name: "node",
      key,
      fill: (into) => putNode(nodeFile, join(into, "node"), { mayLink, mustCopy }),
    });
    return join(folder, "content", "node");
  } catch (error) {
    if (mustCopy) throw error;
    return nodeFile;
  }
}

async function putNode(
  source: string,
  target: string,
  { mayLink, mustCopy }: { readonly mayLink: boolean; readonly mustCopy: boolean },
): Promise<void> {
  if (
    mayLink &&
    (await link(source, target).then(
      () => true,
      () => false,
    ))
  )
    return;
  if (!mustCopy) throw new Error("a link is not possible and a copy is not needed");
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, 0o755);
}

/**
 * A folder of ours that every user can read and none but us can write, filled once per key. Two hosts may
 * do this at the same time: the first to move its folder into place wins.
 */
export async function prepareSharedFolder(options: {
  readonly base: string;
  readonly name: string;
  readonly key: string | (() => Promise<string>);
  readonly fill: (folder: string) => Promise<void>;
}): Promise<string> {
  const key = typeof options.key === "string" ? options.key : await options.key();
  const digest = createHash("sha256").update(`${FORMAT} ${key}`).digest("hex");
  await mkdir(options.base, { recursive: true, mode: 0o755 });
  const folder = join(options.base, `plinth-${options.name}-${digest.slice(0, 24)}`);
  if (await isOurs(folder, digest)) return folder;
  const building = await mkdtemp(join(options.base, `plinth-${options.name}-new-`));
  try {
    const content = join(building, "content");
    await mkdir(content, { mode: 0o755 });
    await options.fill(content);
    await writeFile(join(building, STAMP), digest, { mode: 0o644 });
    await chmod(content, 0o755);
    await chmod(building, 0o755);
    return await moveIntoPlace(building, folder, digest);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
}

async function moveIntoPlace(building: string, folder: string, digest: string): Promise<string> {
  if (
    await rename(building, folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  if (await isOurs(folder, digest)) {
    await rm(building, { recursive: true, force: true });
    return folder;
  }
  // Something that is not ours has the name. It is left alone; our folder serves under its own name.
  return building;
}

/** Removes images of ours that no host used for a month: each change of the runtime makes a new one. */
async function removeUnused(base: string, nowMs: number): Promise<void> {
  for (const name of await readdir(base).catch(() => [])) {
    if (!/^plinth-(image|node)-/.test(name)) continue;
    const folder = join(base, name);
    const [entry, stamp] = await Promise.all([lstat(folder), stat(join(folder, STAMP))]).catch(() => []);
    if (entry?.uid === ownUid() && stamp !== undefined && nowMs - stamp.mtimeMs > UNUSED_MS)
      await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the folder is one that we made and nobody else can have changed. */
async function isOurs(folder: string, digest: string): Promise<boolean> {
  try {
    for (const path of [folder, join(folder, "content")]) {
      const entry = await lstat(path);
      if (!entry.isDirectory() || entry.uid !== ownUid() || (entry.mode & 0o022) !== 0) return false;
    }
    return (await readFile(join(folder, STAMP), "utf8")) === digest;
  } catch {
    return false;
  }
}

/** Where images lie: a place that lasts as long as the host, unlike a folder that is swept by age. */
export async function sharedBaseFolder(): Promise<string> {
  const wanted = isRoot() ? "/var/lib/plinth" : join(homedir(), ".cache", "plinth");
  const made = await mkdir(wanted, { recursive: true, mode: 0o755 }).then(
    () => true,
    () => false,
  );
  return made && (!isRoot() || (await isReachableByAll(wanted))) ? wanted : tmpdir();
}

/** Whether every user can reach and read the path and only root can change what it names. */
export async function isReachableByAll(path: string): Promise<boolean> {
  const { root } = parse(path);
  for (let at = path; ; at = dirname(at)) {
    const entry = await stat(at);
    const needed = entry.isDirectory() ? 0o001 : 0o005;
    if (entry.uid !== 0 || (entry.mode & needed) !== needed || (entry.mode & 0o022) !== 0) return false;
    if (at === root) return true;
  }
}

/** The shared libraries of programs and libraries, as the loader finds them. */
export async function librariesOf(...files: readonly string[]): Promise<readonly Library[]> {
  const { stdout } = await promisify(execFile)("ldd", files, { env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
  const targets = parseLdd(stdout);
  assert(targets.length > 0, "ldd lists the loader at least");
  return Promise.all(targets.map(async (target) => ({ target, source: await realpath(target) })));
}

/** Lines are `name => /path (0x…)` or, for the loader itself, `/path (0x…)`. */
export function parseLdd(output: string): readonly string[] {
  const targets = output.split("\n").flatMap((line) => /(?:=>\s+|^\s*)(\/\S+)\s+\(0x/.exec(line)?.[1] ?? []);
  return [...new Set(targets)];
}

function isRoot(): boolean {
  return ownUid() === 0;
}

function ownUid(): number {
  return process.getuid?.() ?? -1;
}

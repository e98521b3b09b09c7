/**
 * Where unpacked versions lie: reachable for the users that jails run as, and changed by nobody but the host. Each data folder has
 * a place of its own, so that hosts of one machine do not remove each other's; the place of a data folder that is gone is removed
 * by the next host.
 */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";

/** Everybody may pass through to a name that they know; only the owner sees the names. */
const PARENT_MODE = 0o711;
const OWNER = ".data-dir";

export interface VersionsBase {
  readonly base: string;
  /** What belonged to data folders that are gone: nothing uses it. */
  readonly orphans: readonly string[];
}

export async function prepareVersionsBase(options: { readonly dataDir: string; readonly folder: string | null }): Promise<VersionsBase> {
  const dataDir = await realpath(options.dataDir);
  const id = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  const parent = await parentOf(options.folder);
  if (parent === undefined) return { base: await ownFolder(join(tmpdir(), `plinth-versions-${ownUid()}-${id}`)), orphans: [] };
  await writeFile(join(parent, `${id}${OWNER}`), dataDir, { mode: 0o600 });
  const orphans = await orphansIn(parent);
  return { base: await ownFolder(join(parent, id)), orphans };
}

/** undefined where no place can be reached by jails. */
async function parentOf(folder: string | null): Promise<string | undefined> {
  if (folder !== null) {
    await mkdir(folder, { recursive: true, mode: PARENT_MODE });
    if (isRoot() && !(await isReachableByAll(folder)))
      throw plinthError("BadConfiguration", { detail: `the users of jails cannot reach ${folder}, or others can change it` });
    return folder;
  }
  const parent = isRoot() ? "/var/lib/plinth/versions" : join(homedir(), ".cache", "plinth", "versions");
  const made = await mkdir(parent, { recursive: true, mode: PARENT_MODE }).then(
    () => true,
    () => false,
  );
  return made && (!isRoot() || (await isReachableByAll(parent))) ? parent : undefined;
}

/** A file beside each folder says whose it is. */
async function orphansIn(parent: string): Promise<readonly string[]> {
  const orphans: string[] = [];
  for (const name of await readdir(parent)) {
    if (!name.endsWith(OWNER)) continue;
    const dataDir = await readFile(join(parent, name), "utf8").catch(() => "");
    const isGone = dataDir !== "" && (await lstat(dataDir).catch((error: unknown) => error)) instanceof Error;
    if (isGone) orphans.push(join(parent, name.slice(0, -OWNER.length)), join(parent, name));
  }
  return orphans;
}

/** Differs after each start of the machine; where that is not known, after each start of the host. */
export async function bootIdOf(otherwise: string): Promise<string> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return text.trim() === "" ? otherwise : text.trim();
}

/** The folder, if it is ours alone; another one when somebody else has the name. */
async function ownFolder(folder: string): Promise<string> {
  await mkdir(folder, { mode: PARENT_MODE }).catch(() => undefined);
  const entry = await lstat(folder).catch(() => undefined);
  if (entry?.isDirectory() === true && entry.uid === ownUid() && (entry.mode & 0o022) === 0) {
    await chmod(folder, PARENT_MODE);
    return folder;
  }
  const other = await mkdtemp(`${folder}-`);
  await chmod(other, PARENT_MODE);
  return other;
}

/** Whether every user can pass through the path and only root can change what it names: in sticky folders, nobody renames what is of others. */
async function isReachableByAll(path: string): Promise<boolean> {
  const { root } = parse(path);
  const start = await realpath(path);
  for (let at = start; ; at = dirname(at)) {
    const entry = await stat(at);
    const othersChange = (entry.mode & 0o022) !== 0 && (at === start || (entry.mode & 0o1000) === 0);
    if (entry.uid !== 0 || (entry.mode & 0o001) === 0 || othersChange) return false;
    if (at === root) return true;
  }
}

function isRoot(): boolean {
  return ownUid() === 0;
}

function ownUid(): number {
  return process.getuid?.() ?? -1;
}

/**
 * The unpacked files of versions, where jails can read them. They are made from the archive's blob when they are wanted and can be
 * lost at any time: the blob is the truth.
 *
 * Each folder lies under a name that nobody can guess, in a folder that only its owner can list: the user of one jail cannot
 * find the code of another tenant, even where it can reach the place (no folder is shared by tenants, whatever they upload).
 *
 * O1 A folder is there wholly or not at all: it is filled under another name and then renamed. One that a crash of the machine
 *    may have damaged is not used again.
 * O2 A folder that somebody uses is not removed.
 * O3 The files are those of the archive that the version is named by: its digest is checked whenever it is unpacked.
 */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { parseStamp, type Stamp } from "./folder-stamp.ts";
import { unpackArchive } from "./unpack.ts";

export interface FolderLease {
  /** The files of the archive. */
  readonly path: string;
  /** The list of its files, compressed; see `file-list.ts`. */
  readonly fileListPath: string;
  readonly files: number;
  readonly bytes: number;
  release(): void;
}

export interface VersionFoldersOptions {
  readonly blobs: Blobs;
  readonly runtime: Runtime;
  /** A folder of ours alone, made by `prepareVersionsBase`. */
  readonly base: string;
  /** Folders and files that are of no use to anybody; removed in the background. */
  readonly orphans?: readonly string[];
  /** Differs after each start of the machine; see O1. */
  readonly bootId: string;
  readonly bytesMax?: number;
}

interface Entry {
  readonly name: string;
  readonly stamp: Stamp;
  users: number;
  /** When the folder was last seen to be there, on the clock that never jumps. */
  seenMs: number;
}

const SEEN_MS = 1000;
const NAME = /^([0-9a-f]{32})-[0-9a-f]{32}$/;

export class VersionFolders {
  readonly #options: VersionFoldersOptions;
  /** By tenant and archive; in the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #unpacking = new Map<string, Promise<Entry>>();
  readonly #removals = new Set<Promise<void>>();
  #closed = false;

  private constructor(options: VersionFoldersOptions) {
    this.#options = options;
  }

  /** Finds the folders that an earlier host left and removes what it left half made. */
  static async open(options: VersionFoldersOptions): Promise<VersionFolders> {
    const folders = new VersionFolders(options);
    for (const name of await readdir(options.base)) {
      const key = NAME.exec(name)?.[1];
      const text = key === undefined ? undefined : await readFile(join(options.base, name, "stamp"), "utf8").catch(() => undefined);
      const stamp = text === undefined ? undefined : parseStamp(text);
      if (key !== undefined && stamp?.bootId === options.bootId && !folders.#entries.has(key))
        folders.#entries.set(key, { name, stamp, users: 0, seenMs: options.runtime.monotonicMs() });
      else folders.#remove(name);
    }
    for (const orphan of options.orphans ?? []) folders.#inBackground(() => rm(orphan, { recursive: true, force: true }));
    return folders;
  }

  /** The files of a tenant's archive, until they are released. Rejects with InvalidPackage when the archive is refused. */
  async use(tenant: string, digest: string): Promise<FolderLease> {
    const key = keyOf(tenant, digest);
    for (;;) {
      const known = this.#entries.get(key);
      const entry = known ?? (await this.#unpackOnce(key, tenant, digest));
      // Taken before anything else can happen, so that it is not removed.
      const seenLately = entry.users > 0 && this.#options.runtime.monotonicMs() - entry.seenMs < SEEN_MS;
      entry.users++;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      // O2: what somebody holds is there, unless a person took it away.
      if (known === undefined || seenLately || (await this.#isThere(entry))) return this.#lease(entry);
      entry.users--;
      // Somebody took the folder away.
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    }
  }

  /** Removes the folders of all versions that are not among these and that nobody uses. */
  async keepOnly(versions: readonly { readonly tenant: string; readonly digest: string }[]): Promise<void> {
    const kept = new Set(versions.map(({ tenant, digest }) => keyOf(tenant, digest)));
    for (const [key, entry] of this.#entries) if (!kept.has(key) && entry.users === 0) this.#drop(key, entry);
    await Promise.all(this.#removals);
  }

  /** Resolves when nothing of it runs. The folders stay for the next host. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#unpacking.values());
    await Promise.all(this.#removals);
  }

  #lease(entry: Entry): FolderLease {
    const folder = join(this.#options.base, entry.name);
    let held = true;
    return {
      path: join(folder, "content"),
      fileListPath: join(folder, "files"),
      files: entry.stamp.files,
      bytes: entry.stamp.bytes,
      release: () => {
        if (!held) return;
        held = false;
        entry.users--;
        this.#makeRoom();
      },
    };
  }

  async #unpackOnce(key: string, tenant: string, digest: string): Promise<Entry> {
    const running = this.#unpacking.get(key);
    if (running !== undefined) return await running;
    const unpacking = this.#unpack(key, tenant, digest);
    this.#unpacking.set(key, unpacking);
    try {
      const entry = await unpacking;
      this.#entries.set(key, entry);
      return entry;
    } finally {
      this.#unpacking.delete(key);
      // After those who wait for this folder took it.
      void this.#options.runtime.sleep(0).then(() => this.#makeRoom());
    }
  }

  /** O1, O3 */
  async #unpack(key: string, tenant: string, digest: string): Promise<Entry> {
    const { blobs, base, bootId } = this.#options;
    const archive = await blobs.open(tenant, digest);
    if (archive === undefined) throw plinthError("StoreFailure", { what: `read the archive ${digest.slice(0, 16)}: it is gone` });
    const building = `new-${this.#random()}`;
    const folder = join(base, building);
    try {
      await mkdir(folder, { mode: 0o700 });
      const content = join(folder, "content");
      await mkdir(content, { mode: 0o755 });
      const { files, bytes, fileList } = await unpackArchive(tenant, archive, { folder: content });
      const stamp: Stamp = { bootId, files, bytes };
      await writeFile(join(folder, "files"), fileList, { mode: 0o600 });
      await writeFile(join(folder, "stamp"), JSON.stringify(stamp), { mode: 0o600 });
      await chmod(content, 0o755);
      await chmod(folder, 0o711);
      const name = `${key}-${this.#random()}`;
      await rename(folder, join(base, name));
      return { name, stamp, users: 0, seenMs: this.#options.runtime.monotonicMs() };
    } catch (error) {
      archive.destroy();
      this.#remove(building);
      throw error;
    }
  }

  async #isThere(entry: Entry): Promise<boolean> {
    return await lstat(join(this.#options.base, entry.name, "content")).then(
      (found) => {
        entry.seenMs = this.#options.runtime.monotonicMs();
        return found.isDirectory();
      },
      () => false,
    );
  }

  /** O2: the least recently used go first, those in use never. */
  #makeRoom(): void {
    if (this.#closed) return;
    const max = this.#options.bytesMax ?? limit("versionFoldersBytesMax");
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.stamp.bytes;
    for (const [key, entry] of this.#entries) {
      if (bytes <= max) return;
      if (entry.users > 0) continue;
      bytes -= entry.stamp.bytes;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#remove(entry.name);
  }

  /** In the background; what a crash leaves is removed at the next start. */
  #remove(name: string): void {
    const { base } = this.#options;
    const doomed = join(base, `old-${this.#random()}`);
    this.#inBackground(async () => {
      await rename(join(base, name), doomed);
      await rm(doomed, { recursive: true, force: true });
    });
  }

  #inBackground(body: () => Promise<void>): void {
    const removal = body()
      .catch(() => undefined)
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  #random(): string {
    return Buffer.from(this.#options.runtime.randomBytes(16)).toString("hex");
  }
}

function keyOf(tenant: string, digest: string): string {
  return createHash("sha256").update(`${tenant}\0${digest}`).digest("hex").slice(0, 32);
}

/**
 * Blobs as files: `<folder>/<tenant>/<first two digits>/<digest>`. The modification time is when a blob was last put.
 *
 * A blob is written under another name, made durable and renamed into place (B1, B2); what a crash left under the other
 * name is removed at the next open. Putting a blob again replaces its file, so damage heals and no reader sees a change.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, lstat, mkdir, open, readFile, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { BlobInfo, Blobs } from "../blobs.ts";
import { blobPath, DIGEST, INCOMING, isAbsent, makeDurableFolder, namesIn, syncFolder, tenantFolder, tenantOf } from "./blob-files.ts";

export interface DiskBlobsOptions {
  /** Made when it is not there. One host at a time uses it: the lock of the data folder sees to that. */
  readonly folder: string;
  readonly runtime: Runtime;
}

export async function openDiskBlobs({ folder, runtime }: DiskBlobsOptions): Promise<Blobs> {
  return await tried("open the blobs", async () => {
    await rm(join(folder, INCOMING), { recursive: true, force: true });
    await makeDurableFolder(join(folder, INCOMING));
    return new DiskBlobs(folder, runtime);
  });
}

class DiskBlobs implements Blobs {
  readonly #folder: string;
  readonly #runtime: Runtime;
  /** Renames, deletes and backups, one after the other: each is short, and a delete must see the latest put. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(folder: string, runtime: Runtime) {
    this.#folder = folder;
    this.#runtime = runtime;
  }

  async put(tenant: string, source: AsyncIterable<Uint8Array>, { bytesMax }: { readonly bytesMax: number }): Promise<BlobInfo> {
    const incoming = join(this.#folder, INCOMING, Buffer.from(this.#runtime.randomBytes(16)).toString("hex"));
    try {
      const { digest, bytes } = await write(incoming, source, bytesMax);
      return await tried("store a blob", async () => {
        const file = join(this.#folder, blobPath(tenant, digest) ?? "");
        await makeDurableFolder(dirname(file));
        await this.#change(async () => {
          // A tenant that was erased meanwhile took the folder away.
          await makeDurableFolder(dirname(file));
          await rename(incoming, file);
        });
        await syncFolder(dirname(file));
        return { digest, bytes, putMs: (await lstat(file)).mtimeMs };
      });
    } catch (error) {
      await rm(incoming, { force: true });
      throw error;
    }
  }

  async open(tenant: string, digest: string): Promise<Readable | undefined> {
    const file = this.#fileOf(tenant, digest);
    if (file === undefined) return undefined;
    try {
      const handle = await open(file, "r");
      const checked = checkedStream(digest);
      const bytes = createReadStream(file, { fd: handle });
      bytes.on("error", (error) => checked.destroy(error));
      checked.on("close", () => bytes.destroy());
      return bytes.pipe(checked);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failure("read a blob", error);
    }
  }

  async read(tenant: string, digest: string): Promise<Buffer | undefined> {
    const file = this.#fileOf(tenant, digest);
    if (file === undefined) return undefined;
    const bytes = await readFile(file).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw failure("read a blob", error);
    });
    if (bytes !== undefined && createHash("sha256").update(bytes).digest("hex") !== digest) throw damaged(digest);
    return bytes;
  }

  async info(tenant: string, digest: string): Promise<BlobInfo | undefined> {
    const file = this.#fileOf(tenant, digest);
    return file === undefined ? undefined : await infoOf(file, digest);
  }

  async delete(tenant: string, digest: string, options?: { readonly putBeforeMs: number }): Promise<void> {
    const file = this.#fileOf(tenant, digest);
    if (file === undefined) return;
    await this.#change(() =>
      tried("delete a blob", async () => {
        const info = await infoOf(file, digest);
        if (info === undefined || (options !== undefined && info.putMs >= options.putBeforeMs)) return;
        await unlink(file);
      }),
    );
  }

  async *list(tenant: string): AsyncIterable<BlobInfo> {
    const base = join(this.#folder, tenantFolder(tenant));
    for (const part of (await namesIn(base)).sort()) {
      for (const digest of (await namesIn(join(base, part))).sort()) {
        const info = DIGEST.test(digest) ? await infoOf(join(base, part, digest), digest) : undefined;
        if (info !== undefined) yield info;
      }
    }
  }

  async tenants(): Promise<readonly string[]> {
    return (await namesIn(this.#folder)).filter((name) => name !== INCOMING).map(tenantOf);
  }

  async eraseTenant(tenant: string): Promise<void> {
    await this.#change(() =>
      tried("erase blobs", async () => {
        await rm(join(this.#folder, tenantFolder(tenant)), { recursive: true, force: true });
        await syncFolder(this.#folder);
      }),
    );
  }

  async backup(path: string, before?: () => Promise<void>): Promise<void> {
    await this.#change(async () => {
      await before?.();
      await tried("copy the blobs", async () => {
        await mkdir(path, { mode: 0o700 });
        for (const tenant of await this.tenants()) await this.#copyTenant(tenant, path);
        await syncFolder(path);
        await syncFolder(dirname(path));
      });
    });
  }

  async close(): Promise<void> {
    await this.#changes;
  }

  /** Files are never written again under their name, so a link is as good as a copy. */
  async #copyTenant(tenant: string, path: string): Promise<void> {
    const folders = new Set<string>();
    for await (const { digest } of this.list(tenant)) {
      const name = blobPath(tenant, digest) ?? "";
      const [from, to] = [join(this.#folder, name), join(path, name)];
      if (!folders.has(dirname(to))) await makeDurableFolder(dirname(to));
      folders.add(dirname(to));
      await link(from, to).catch(() => copyDurably(from, to));
    }
    for (const folder of folders) await syncFolder(folder);
  }

  #fileOf(tenant: string, digest: string): string | undefined {
    const path = blobPath(tenant, digest);
    return path === undefined ? undefined : join(this.#folder, path);
  }

  #change<T>(body: () => Promise<T>): Promise<T> {
    const run = this.#changes.then(body);
    this.#changes = run.catch(() => undefined);
    return run;
  }
}

export async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Errors of the source pass as they are. */
async function write(file: string, source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<{ digest: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const handle = await tried("store a blob", () => open(file, "wx", 0o600));
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw plinthError("LimitExceeded", { what: "Bytes of one file", actual: `more than ${bytesMax}`, max: bytesMax });
      hash.update(chunk);
      await tried("store a blob", () => handle.writeFile(chunk));
    }
    await tried("store a blob", () => handle.sync());
  } finally {
    await handle.close();
  }
  return { digest: hash.digest("hex"), bytes };
}

/** B3: passes bytes on and fails at the end when they were others than those that were put. */
function checkedStream(digest: string): Transform {
  const hash = createHash("sha256");
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
    flush: (done) => done(hash.digest("hex") === digest ? null : damaged(digest)),
  });
}

async function infoOf(file: string, digest: string): Promise<BlobInfo | undefined> {
  try {
    const { size, mtimeMs } = await lstat(file);
    return { digest, bytes: size, putMs: mtimeMs };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw failure("read a blob", error);
  }
}

async function tried<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof PlinthError ? error : failure(what, error);
  }
}

function failure(what: string, error: unknown): PlinthError {
  return plinthError("StoreFailure", { what }, { cause: error });
}

function damaged(digest: string): PlinthError {
  return plinthError("StoreFailure", { what: `read the blob ${digest.slice(0, 16)}: its bytes were changed` });
}

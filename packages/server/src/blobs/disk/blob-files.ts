/** Where blobs lie below their folder, and the few file operations that make them durable. */
import { createReadStream } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { assert } from "@plinth/core/assert.ts";

export const DIGEST = /^[0-9a-f]{64}$/;
/** Files that are being written. It lies in the same file system, so that they can be renamed into place. */
export const INCOMING = ".incoming";

/** Folder of a tenant; what is no plain name is written in hexadecimal. */
export function tenantFolder(tenant: string): string {
  assert(tenant !== "", "a tenant has a name");
  return /^[a-z0-9][a-z0-9_-]{0,127}$/.test(tenant) ? tenant : `=${Buffer.from(tenant, "utf8").toString("hex")}`;
}

export function tenantOf(folder: string): string {
  return folder.startsWith("=") ? Buffer.from(folder.slice(1), "hex").toString("utf8") : folder;
}

/** Path of a blob below the folder of all blobs; undefined for what is no digest. */
export function blobPath(tenant: string, digest: string): string | undefined {
  return DIGEST.test(digest) ? join(tenantFolder(tenant), digest.slice(0, 2), digest) : undefined;
}

/** Makes a folder and those above it, durably. Harmless when it is there. */
export async function makeDurableFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(dirname(at));
    if (at === made) return;
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** Names in a folder; none when it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

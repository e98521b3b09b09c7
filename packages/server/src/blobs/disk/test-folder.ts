import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import type { BlobsPlace } from "../blobs-contract.ts";
import { blobPath } from "./blob-files.ts";
import { openDiskBlobs } from "./disk-blobs.ts";

/** A folder of its own for the blobs of one test. */
export async function makeDiskPlace(): Promise<BlobsPlace & { readonly folder: string }> {
  const base = await mkdtemp(join(tmpdir(), "plinth-blobs-"));
  const folder = join(base, "blobs");
  const runtime = createSystemRuntime();
  return {
    folder,
    backupPath: join(base, "backup"),
    open: () => openDiskBlobs({ folder, runtime }),
    openBackup: (path) => openDiskBlobs({ folder: path, runtime }),
    damage: (tenant, digest) => writeFile(join(folder, blobPath(tenant, digest) ?? ""), "wrong"),
    leftovers: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

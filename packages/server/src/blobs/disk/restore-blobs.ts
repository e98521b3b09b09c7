/** Takes the blobs of a backup into a new data folder. */
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { digestOfFile, DIGEST, INCOMING, makeDurableFolder, namesIn, syncFolder } from "./blob-files.ts";
import { copyDurably } from "./disk-blobs.ts";

/** The folder beside a backup file that holds its blobs. */
export function blobsOfBackup(backupFile: string): string {
  return `${backupFile}.blobs`;
}

/** What `restoreBlobs` leaves in the data folder when it is interrupted. */
export const RESTORING_BLOBS = "blobs.part";

/** Copies every blob and checks it. Rejects with InvalidBackup when one is damaged. */
export async function restoreBlobs(options: { readonly backupFile: string; readonly dataDir: string }): Promise<void> {
  const from = blobsOfBackup(options.backupFile);
  const part = join(options.dataDir, RESTORING_BLOBS);
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { mode: 0o700 });
  for (const tenant of await namesIn(from)) {
    if (tenant === INCOMING) continue;
    for (const two of await namesIn(join(from, tenant))) {
      const folder = join(part, tenant, two);
      await makeDurableFolder(folder);
      for (const digest of await namesIn(join(from, tenant, two))) await restoreOne(join(from, tenant, two, digest), join(folder, digest));
      await syncFolder(folder);
    }
  }
  await rename(part, join(options.dataDir, "blobs"));
  await syncFolder(options.dataDir);
}

async function restoreOne(from: string, to: string): Promise<void> {
  const digest = basename(from);
  await copyDurably(from, to);
  if (DIGEST.test(digest) && (await digestOfFile(to)) === digest) return;
  throw plinthError("InvalidBackup", { file: dirname(dirname(dirname(from))), detail: `the blob ${digest.slice(0, 64)} is damaged` });
}

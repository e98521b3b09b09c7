/** `restore <backup> <data-dir> [--at <moment>]`: makes a new data folder from a backup. */
import { existsSync } from "node:fs";
import { plinthError } from "@plinth/core/errors.ts";
import { blobsOfBackup, restoreBlobs } from "../blobs/disk/restore-blobs.ts";
import { restoreBackup } from "../store/sqlite/restore.ts";

const US_PER_MS = 1000;

export async function restore(args: readonly string[]): Promise<number> {
  const { backupFile, dataDir, atMs } = parseArguments(args);
  if (existsSync(backupFile) && !existsSync(blobsOfBackup(backupFile)))
    throw plinthError("InvalidBackup", { file: backupFile, detail: `its folder ${blobsOfBackup(backupFile)} is missing` });
  const bringMore = (folder: string) => restoreBlobs({ backupFile, dataDir: folder });
  const { ts } = await restoreBackup({ backupFile, dataDir, bringMore, ...(atMs === undefined ? {} : { at: atMs * US_PER_MS }) });
  process.stdout.write(`Restored ${dataDir} as of ${new Date(ts / US_PER_MS).toISOString()}.\n`);
  return 0;
}

function parseArguments(args: readonly string[]): {
  readonly backupFile: string;
  readonly dataDir: string;
  readonly atMs: number | undefined;
} {
  const [backupFile, dataDir, flag, moment, ...rest] = args;
  if (backupFile === undefined || dataDir === undefined || rest.length > 0 || (flag !== undefined && flag !== "--at")) {
    throw plinthError("BadConfiguration", { detail: "restore takes a backup, a data folder and perhaps `--at <moment>`" });
  }
  if (flag === undefined) return { backupFile, dataDir, atMs: undefined };
  const atMs = Date.parse(moment ?? "");
  if (Number.isNaN(atMs))
    throw plinthError("BadConfiguration", { detail: `'${moment ?? ""}' is no moment; write it as 2026-11-20T12:00:00Z` });
  return { backupFile, dataDir, atMs };
}

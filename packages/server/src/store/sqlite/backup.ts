import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { backup as copyDatabase } from "node:sqlite";
import { plinthError } from "@plinth/core/errors.ts";
import { firstRow, openConnection, reasonOf } from "./connection.ts";

/** Pages that are copied between two looks at other work. */
const STEP_PAGES = 128;

/**
 * Copies the database into the new file `path` as it is at one moment. Commits go on meanwhile; the copy
 * runs in the thread pool. An incomplete copy never has the name `path`.
 */
export async function writeBackup(databaseFile: string, path: string): Promise<void> {
  await refuseExisting(path);
  const part = `${path}.part`;
  try {
    await rm(part, { force: true });
    await (await open(part, "wx", 0o600)).close();
    await copyAtOneMoment(databaseFile, part);
    await seal(part);
    await rename(part, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(part, { force: true });
    throw plinthError("StoreFailure", { what: `write the backup ${path}: ${reasonOf(error)}` }, { cause: error });
  }
}

/** Looks without opening: to close a descriptor of the store's own files would drop the locks of this process on them. */
async function refuseExisting(path: string): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw plinthError("AlreadyExists", { what: `The file ${path}` });
}

/** The open read transaction holds the moment; without it each commit would start the copy anew. */
async function copyAtOneMoment(databaseFile: string, target: string): Promise<void> {
  const source = openConnection(databaseFile, { readOnly: true, cacheBytes: 1024 * 1024, lockWaitMs: 1000 });
  try {
    source.exec("BEGIN");
    firstRow(source.prepare("SELECT value FROM meta WHERE name = 'horizon'"));
    await copyDatabase(source, target, { rate: STEP_PAGES });
  } finally {
    source.close();
  }
}

/**
 * Bytes 18 and 19 of an SQLite file say whether it needs a write-ahead log beside it (2) or not (1). The copy
 * is complete in itself, so that it can be read from any folder, a read-only one too.
 */
async function seal(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.write(new Uint8Array([1, 1]), 0, 2, 18);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

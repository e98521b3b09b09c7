/**
 * Makes a data folder from a backup, offline: the latest state of the backup, or its state at a moment
 * that its history still holds.
 *
 * B1 Nothing is restored into a folder that holds anything.
 * B2 The database gets its name only when it is complete and on the disk, so an interrupted restore leaves
 *    no folder that opens.
 * B3 Timestamps go on after the last one of the backup, also when the state goes back before it, so that no
 *    timestamp ever names two states.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { backup as copyDatabase, type DatabaseSync } from "node:sqlite";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { Timestamp } from "../store.ts";
import { allRows, openConnection, reasonOf } from "./connection.ts";
import { createPrivateFile, DATABASE_FILE, folderUnusable, lockDataFolder, syncFolder } from "./data-folder.ts";
import { readState } from "./open-sqlite-store.ts";
import { fileKind, migrate } from "./schema.ts";

export interface RestoreOptions {
  readonly backupFile: string;
  /** A folder that is empty or does not exist. */
  readonly dataDir: string;
  /** Restore the state at this moment instead of the latest one. */
  readonly at?: Timestamp;
  /** Brings what else belongs to the backup into the folder, before the store is there. */
  readonly bringMore?: (folder: string) => Promise<void>;
}

const CACHE_BYTES = 16 * 1024 * 1024;

/** What an earlier restore that failed may have left in the folder. */
const LEFT_BY_RESTORE = new Set([
  "lock.db",
  "lock.db-journal",
  "host.pid",
  `${DATABASE_FILE}.part`,
  `${DATABASE_FILE}.part-journal`,
  "blobs.part",
]);

/** Returns the moment whose state the new data folder shows. */
export async function restoreBackup({ backupFile, dataDir, at, bringMore }: RestoreOptions): Promise<{ readonly ts: Timestamp }> {
  refuseFilled(resolve(dataDir));
  const source = openBackup(backupFile);
  try {
    checkBackup(source, backupFile, at);
    const folder = lockDataFolder(dataDir);
    const part = join(folder.folder, `${DATABASE_FILE}.part`);
    try {
      rmSync(part, { force: true });
      createPrivateFile(part);
      await copyDatabase(source, part);
      const ts = finishCopy(part, at);
      await bringMore?.(folder.folder);
      renameSync(part, folder.databaseFile);
      syncFolder(folder.folder);
      return { ts };
    } catch (error) {
      rmSync(part, { force: true });
      throw error instanceof PlinthError ? error : folderUnusable(folder.folder, error);
    } finally {
      folder.unlock();
    }
  } finally {
    source.close();
  }
}

function refuseFilled(folder: string): void {
  try {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) return;
    if (readdirSync(folder).every((name) => LEFT_BY_RESTORE.has(name))) return;
  } catch (error) {
    throw folderUnusable(folder, error);
  }
  throw plinthError("RestoreTargetNotEmpty", { folder });
}

function openBackup(file: string): DatabaseSync {
  const invalid = (detail: string, cause?: unknown): PlinthError => plinthError("InvalidBackup", { file, detail }, { cause });
  if (!existsSync(file)) throw invalid("it does not exist");
  if (!statSync(file).isFile()) throw invalid("it is not a file");
  try {
    return openConnection(file, { readOnly: true, cacheBytes: CACHE_BYTES, lockWaitMs: 1000 });
  } catch (error) {
    throw invalid(reasonOf(error), error);
  }
}

function checkBackup(source: DatabaseSync, file: string, at: Timestamp | undefined): void {
  try {
    const found = fileKind(source);
    if (found.kind === "empty" || found.kind === "foreign")
      throw plinthError("InvalidBackup", { file, detail: "it is not a store of Plinth" });
    if (found.kind === "newer") throw plinthError("InvalidBackup", { file, detail: `a newer Plinth wrote it (format ${found.version})` });
    const problem = allRows(source.prepare("PRAGMA quick_check(1)"))[0]?.[0];
    if (problem !== "ok") throw plinthError("InvalidBackup", { file, detail: `it is damaged: ${String(problem)}` });
    const { latest, horizon } = readState(source);
    const readable = at === undefined || (Number.isSafeInteger(at) && at >= horizon && at <= latest);
    if (!readable) throw plinthError("SnapshotTooOld", { at });
  } catch (error) {
    throw error instanceof PlinthError ? error : plinthError("InvalidBackup", { file, detail: reasonOf(error) }, { cause: error });
  }
}

function finishCopy(file: string, at: Timestamp | undefined): Timestamp {
  const database = openConnection(file, { cacheBytes: CACHE_BYTES, lockWaitMs: 1000 });
  try {
    const found = fileKind(database);
    if (found.kind === "store") migrate(database, found.version);
    if (at !== undefined) rewind(database, at);
    return readState(database).latest;
  } finally {
    database.close();
  }
}

/** Makes the state at `at` the latest one. */
function rewind(database: DatabaseSync, at: Timestamp): void {
  const { latest } = readState(database);
  database.exec("BEGIN IMMEDIATE");
  try {
    database.prepare("UPDATE meta SET value = max(value, ?1) WHERE name = 'ts_floor'").run(latest);
    database.prepare("DELETE FROM current WHERE ts > ?1").run(at);
    database
      .prepare("INSERT INTO current (key, value, ts) SELECT key, value, from_ts FROM replaced WHERE from_ts <= ?1 AND until_ts > ?1")
      .run(at);
    database.prepare("DELETE FROM replaced WHERE until_ts > ?1").run(at);
    database.prepare("DELETE FROM log WHERE ts > ?1").run(at);
    // Pins hold again that held at the moment; what later ones kept is searched for by the next collection.
    database.prepare("UPDATE pins SET ended_ts = NULL WHERE ended_ts > ?1").run(at);
    database.prepare("UPDATE pins SET ended_ts = 0 WHERE made_ts > ?1").run(at);
    // The moment itself becomes the last commit; it writes nothing.
    database.prepare("INSERT OR IGNORE INTO log (ts, keys) VALUES (?1, x'')").run(at);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Owns the data folder: its files, their modes, and the lock that makes a host its only user (S6).
 *
 * F1 The lock belongs to the operating system: it is an exclusive SQLite transaction on `lock.db`, held
 *    as long as the store is open. The kernel drops it with the process, so it is never stale.
 * F2 Everything in the folder is readable by its owner only.
 *
 * No code of this process may open `lock.db`, the database or its `-wal` and `-shm` files other than through
 * SQLite: closing any descriptor of such a file would drop the locks of the whole process on it. `host.pid` only
 * informs: the process id in the message for the second host comes from there.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { openConnection, reasonOf, SQLITE_BUSY, sqliteCode } from "./connection.ts";

export const DATABASE_FILE = "plinth.db";
const LOCK_FILE = "lock.db";
const PID_FILE = "host.pid";

/** A folder that this process, and no other, uses as its data folder. */
export interface DataFolder {
  readonly folder: string;
  readonly databaseFile: string;
  unlock(): void;
}

/** Makes the folder if needed and takes its lock, at once or not at all. */
export function lockDataFolder(dataDir: string): DataFolder {
  const folder = resolve(dataDir);
  makeFolder(folder);
  const lock = takeLock(folder);
  const pidFile = join(folder, PID_FILE);
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw folderUnusable(folder, error);
  }
  return {
    folder,
    databaseFile: join(folder, DATABASE_FILE),
    unlock: () => {
      if (!lock.isOpen) return;
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

/** Creates an empty private file unless it exists. SQLite gives its companions the same mode. */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Makes the entries of a folder durable: new files survive a crash of the machine only after this. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function folderUnusable(folder: string, error: unknown): PlinthError {
  return plinthError("DataFolderUnusable", { folder, detail: detailOf(error) }, { cause: error });
}

function makeFolder(folder: string): void {
  try {
    makePath(folder);
    if (!statSync(folder).isDirectory()) throw new Error("it is a file and not a folder");
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderUnusable(folder, error);
  }
}

/** Node's own recursive mkdir never returns where a file system refuses new folders with ENOENT, as /proc does. */
function makePath(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  makePath(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
    syncFolder(parent);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function takeLock(folder: string): DatabaseSync {
  const file = join(folder, LOCK_FILE);
  let lock: DatabaseSync | undefined;
  try {
    createPrivateFile(file);
    lock = openConnection(file, { cacheBytes: 64 * 1024, lockWaitMs: 0 });
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) === SQLITE_BUSY) throw plinthError("DataFolderLocked", { folder, pid: ownerOf(folder) }, { cause: error });
    throw folderUnusable(folder, error);
  }
}

function ownerOf(folder: string): string {
  try {
    const text = readFileSync(join(folder, PID_FILE), "utf8").trim();
    return /^\d{1,10}$/.test(text) ? text : "unknown";
  } catch {
    return "unknown";
  }
}

function detailOf(error: unknown): string {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return "this user may not write there";
    case "ENOENT":
      return "no folder can be made there";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
    case "EDQUOT":
      return "no space is left there";
    case "EEXIST":
    case "ENOTDIR":
      return "a part of its path is a file and not a folder";
    default:
      return reasonOf(error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

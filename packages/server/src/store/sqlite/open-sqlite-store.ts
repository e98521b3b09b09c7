import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { must } from "@plinth/core/assert.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { firstRow, integerAt, openConnection } from "./connection.ts";
import { createPrivateFile, folderUnusable, lockDataFolder, syncFolder, type DataFolder } from "./data-folder.ts";
import { readPins, type StoredPin } from "./pins.ts";
import { fileKind, migrate } from "./schema.ts";
import { SqliteStore, type StoredState } from "./sqlite-store.ts";

export interface OpenOptions {
  readonly dataDir: string;
  readonly runtime: Runtime;
  /** How long replaced values stay readable. */
  readonly historyRetentionMs?: number;
  /** How often history is collected in the background. */
  readonly collectIntervalMs?: number;
  /** Size that the database file may reach; a commit beyond it is a StoreFailure. */
  readonly databaseBytesMax?: number;
  readonly walPagesMax?: number;
  /** Bytes of batches that may wait for the disk. */
  readonly pendingBytesMax?: number;
  /** Memory for the keys of recent commits. */
  readonly recentBytesMax?: number;
}

const MiB = 1024 * 1024;
/** The kernel caches the file too; this spares the most used pages the way to it, which takes two microseconds. */
const READER_CACHE_BYTES = 8 * MiB;
const WRITER_CACHE_BYTES = 8 * MiB;

/**
 * Opens the embedded store in a folder of its own, which is made if needed. Fails at once with DataFolderLocked
 * when another host has it open, and with DataFolderUnusable when the folder does not serve.
 */
export async function openSqliteStore(options: OpenOptions): Promise<SqliteStore> {
  const folder = lockDataFolder(options.dataDir);
  try {
    const store = new SqliteStore({
      folder,
      runtime: options.runtime,
      ...prepareDatabase(folder),
      writer: {
        databaseFile: folder.databaseFile,
        cacheBytes: WRITER_CACHE_BYTES,
        groupBytesMax: limit("storeGroupBytesMax"),
        collectKeysMax: limit("historySliceKeysMax"),
        collectBytesMax: limit("historySliceBytesMax"),
        databaseBytesMax: options.databaseBytesMax ?? limit("storeDatabaseBytesMax"),
      },
      historyRetentionMs: options.historyRetentionMs ?? limit("historyRetentionMs"),
      collectIntervalMs: options.collectIntervalMs ?? limit("historyCollectIntervalMs"),
      readerCacheBytes: READER_CACHE_BYTES,
      recentBytesMax: options.recentBytesMax ?? limit("storeRecentBytesMax"),
      pendingBytesMax: options.pendingBytesMax ?? limit("storePendingBytesMax"),
      walPagesMax: options.walPagesMax ?? limit("storeWalPagesMax"),
    });
    await startOrClose(store);
    return store;
  } catch (error) {
    folder.unlock();
    throw error;
  }
}

async function startOrClose(store: SqliteStore): Promise<void> {
  try {
    await store.start();
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Brings the database to the newest schema and reads where it stands. */
function prepareDatabase(folder: DataFolder): { readonly state: StoredState; readonly pins: readonly StoredPin[] } {
  let database: DatabaseSync | undefined;
  try {
    createPrivateFile(folder.databaseFile);
    database = openConnection(folder.databaseFile, { cacheBytes: MiB, lockWaitMs: 1000 });
    bringUpToDate(folder, database);
    syncFolder(folder.folder);
    syncFolder(dirname(folder.folder));
    return { state: readState(database), pins: readPins(database) };
  } catch (error) {
    throw error instanceof PlinthError ? error : folderUnusable(folder.folder, error);
  } finally {
    database?.close();
  }
}

function bringUpToDate({ folder, databaseFile }: DataFolder, database: DatabaseSync): void {
  const file = fileKind(database);
  switch (file.kind) {
    case "foreign":
      throw plinthError("DataFolderUnusable", { folder, detail: `${databaseFile} is not a store of Plinth` });
    case "newer":
      throw plinthError("DataFolderUnusable", { folder, detail: `its data has the format ${file.version} of a newer Plinth` });
    case "empty":
    case "store":
      database.exec("PRAGMA journal_mode = WAL");
      migrate(database, file.kind === "empty" ? 0 : file.version);
  }
}

/** Where a database stands: its last commit and the moments that it can show. */
export function readState(database: DatabaseSync): StoredState {
  const last = firstRow(database.prepare("SELECT ts FROM log ORDER BY ts DESC LIMIT 1"));
  const meta = database.prepare("SELECT value FROM meta WHERE name = ?1");
  return {
    latest: last === undefined ? 0 : integerAt(last, 0),
    horizon: integerAt(must(firstRow(meta, "horizon"), "the store has a horizon"), 0),
    tsFloor: integerAt(must(firstRow(meta, "ts_floor"), "the store has a floor"), 0),
  };
}

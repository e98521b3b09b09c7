/**
 * The checkpoint thread moves the write-ahead log into the database file while commits go on. SQLite
 * allows that beside a writer as long as the log need not start anew.
 */
import { parentPort, workerData } from "node:worker_threads";
import { must } from "@plinth/core/assert.ts";
import { firstRow, integerAt, openConnection } from "./connection.ts";
import type { CheckpointResult, CheckpointSettings } from "./checkpoint-client.ts";

const port = must(parentPort, "checkpoints run in a thread");
const settings: CheckpointSettings = workerData;
const database = openConnection(settings.databaseFile, { cacheBytes: 256 * 1024, lockWaitMs: 100 });

port.on("message", (request: "move" | "close") => {
  if (request === "close") {
    database.close();
    port.close();
    return;
  }
  const row = must(firstRow(database.prepare("PRAGMA wal_checkpoint(PASSIVE)")), "a checkpoint has a result");
  const result: CheckpointResult = { pagesLeft: integerAt(row, 1) - integerAt(row, 2) };
  port.postMessage(result);
});

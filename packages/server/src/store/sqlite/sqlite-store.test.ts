import { describeStore } from "../store-contract.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";

describeStore("sqlite", ({ place, runtime, historyRetentionMs }) =>
  openSqliteStore({ dataDir: place, runtime, ...(historyRetentionMs === undefined ? {} : { historyRetentionMs }) }),
);

/** Deletes rows that lie under the platform's scope, so that work in all branches can be found, and are about one tenant or branch. */
import { limit } from "@plinth/core/limits.ts";
import type { Database, RecordTable } from "./database.ts";
import {
  DELETED_FLOWS,
  DELIVERY_QUEUE,
  DUE_TIMES,
  ENDED_FLOW_RUNS,
  EVENT_QUEUE,
  FLOW_SCRIPTS,
  INVOCATION_QUEUE,
  KEPT_VERSIONS,
  KEYRING_PLACES,
  OPEN_FLOW_RUNS,
  OPEN_SYNC_RUNS,
  PLATFORM_SCOPE,
  SAGAS,
} from "./record-tables.ts";

/** Tables whose keys begin with tenant and branch. A new one gets its name here, and its rows go with their branch and their tenant. */
export const TABLES_OF_BRANCHES = [
  DUE_TIMES,
  INVOCATION_QUEUE,
  SAGAS,
  KEYRING_PLACES,
  EVENT_QUEUE,
  DELIVERY_QUEUE,
  OPEN_SYNC_RUNS,
  OPEN_FLOW_RUNS,
  ENDED_FLOW_RUNS,
  DELETED_FLOWS,
  KEPT_VERSIONS,
  FLOW_SCRIPTS,
] as const;

/** In transactions of bounded size. */
export async function erasePlatformRows(
  database: Pick<Database, "update">,
  tables: readonly RecordTable<unknown>[],
  prefix: readonly string[],
): Promise<void> {
  const page = limit("schemaBatchDocumentsMax");
  for (const table of tables) {
    for (let found = page; found === page;) {
      found = await database.update(PLATFORM_SCOPE, async ({ records }) => {
        const rows = await records.range<unknown>(table, { prefix, limit: page });
        for (const { key } of rows) records.delete<unknown>(table, key);
        return rows.length;
      });
    }
  }
}

/** Deletes sync units with everything about them, in transactions of a bounded size. */
import { limit } from "@plinth/core/limits.ts";
import type { Database, RecordTable, Records, Scope } from "../database/database.ts";
import {
  SYNC_BLUEPRINTS,
  SYNC_MAPPERS,
  SYNC_MAPPERS_BY_ITEM,
  SYNC_RUNS_OF_UNIT,
  SYNC_STATES,
  SYNC_UNITS,
} from "../database/record-tables.ts";
import { dropOldRuns } from "./run-store.ts";

const PAGE = 500;

/** Nothing of the unit may run. */
export async function removeUnitRows(
  database: Database,
  scope: Scope,
  { unitId, nowMs }: { readonly unitId: string; readonly nowMs: number },
) {
  await repeat(database, scope, async (records) => {
    await dropOldRuns(records, unitId, { keep: 0, nowMs });
    return (await records.range(SYNC_RUNS_OF_UNIT, { prefix: [unitId], limit: 1 })).length === 0;
  });
  await deleteAll(database, scope, { table: SYNC_MAPPERS_BY_ITEM, prefix: unitId });
  await deleteAll(database, scope, { table: SYNC_MAPPERS, prefix: unitId });
  await deleteAll(database, scope, { table: SYNC_STATES, prefix: unitId });
  await repeat(database, scope, (records) => {
    records.delete(SYNC_UNITS, [unitId]);
    return Promise.resolve(true);
  });
}

export async function removeBlueprints(database: Database, scope: Scope, snapInId: string): Promise<void> {
  await deleteAll(database, scope, { table: SYNC_BLUEPRINTS, prefix: snapInId });
}

/** Units of a snap-in. */
export async function unitsOf(records: Records, snapInId: string): Promise<readonly string[]> {
  const rows = await records.range(SYNC_UNITS, { prefix: [], limit: limit("syncUnitsPerBranchMax") });
  return rows.flatMap(({ value }) => (value.snapInId === snapInId ? [value.id] : []));
}

async function deleteAll<T>(
  database: Database,
  scope: Scope,
  { table, prefix }: { readonly table: RecordTable<T>; readonly prefix: string },
): Promise<void> {
  await repeat(database, scope, async (records) => {
    const rows = await records.range(table, { prefix: [prefix], limit: PAGE });
    for (const { key } of rows) records.delete(table, key);
    return rows.length < PAGE;
  });
}

async function repeat(database: Database, scope: Scope, body: (records: Records) => Promise<boolean>): Promise<void> {
  while (!(await database.update(scope, ({ records }) => body(records)))) continue;
}

/**
 * Tables that every branch has from the start. User code reads them through `ctx.db.system` and never
 * writes them. Their numbers and those of their indexes are part of the stored format.
 */
import type { SystemTableName } from "./database.ts";

export interface SystemTable {
  readonly name: SystemTableName;
  readonly number: number;
  /** Number of its index `by_creation_time`. */
  readonly creationIndex: number;
}

export const SYSTEM_TABLES: readonly SystemTable[] = [
  { name: "_storage", number: 9001, creationIndex: 1 },
  { name: "_scheduled_functions", number: 9002, creationIndex: 2 },
];

/** Smaller index numbers belong to system tables. */
export const USER_INDEX_NUMBER_MIN = 101;

export function isSystemTableName(name: string): boolean {
  return name.startsWith("_");
}

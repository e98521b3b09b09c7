import type { Records } from "../database/database.ts";
import { DROPPED_BLOBS } from "../database/record-tables.ts";

/**
 * Remembers for how long blobs are wanted that a deleted row referred to: as long as the row can be read in history. Within the
 * transaction that deletes the row.
 */
export function markDropped(records: Records, digests: readonly string[], nowMs: number): void {
  for (const digest of digests) records.put(DROPPED_BLOBS, [digest], { droppedMs: nowMs });
}

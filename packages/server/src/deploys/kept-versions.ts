/**
 * Versions that have left the last heads of a branch. Their code is deleted at once where no flow runs; else runs may have begun with
 * them, so they are noted, and deleted when none needs them any more.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Records, Transaction } from "../database/database.ts";
import { FLOW_RUNS, KEPT_VERSIONS, VERSION_LEDGER } from "../database/record-tables.ts";
import { deleteVersion } from "./artefacts.ts";

/** In the transaction that moves the head to `head`. */
export async function dropOldVersions(
  { records, scope }: Pick<Transaction, "records" | "scope">,
  { head, nowMs }: { readonly head: string; readonly nowMs: number },
): Promise<void> {
  const kept = limit("headsKeptMax");
  const recent = await records.range(VERSION_LEDGER, { prefix: [], order: "desc", limit: kept + 1 });
  const dropped = recent.length > kept ? recent.at(-1)?.value.version : undefined;
  if (dropped === undefined || dropped === head || recent.slice(0, kept).some(({ value }) => value.version === dropped)) return;
  if ((await records.range(FLOW_RUNS, { prefix: [], limit: 1 })).length > 0)
    records.put(KEPT_VERSIONS, [scope.tenant, scope.branch, dropped], true);
  else await deleteVersion(records, dropped, nowMs);
}

/** Deletes a version that was noted, unless it is one of the last heads again. */
export async function dropKeptVersion(
  { records, scope }: Pick<Transaction, "records" | "scope">,
  digest: string,
  nowMs: number,
): Promise<boolean> {
  records.delete(KEPT_VERSIONS, [scope.tenant, scope.branch, digest]);
  if (await isRecent(records, digest)) return false;
  await deleteVersion(records, digest, nowMs);
  return true;
}

async function isRecent(records: Records, digest: string): Promise<boolean> {
  const recent = await records.range(VERSION_LEDGER, { prefix: [], order: "desc", limit: limit("headsKeptMax") });
  return recent.some(({ value }) => value.version === digest);
}

/** Bundles in the rows of a branch: what the collector keeps, and what goes with a version. */
import { limit } from "@plinth/core/limits.ts";
import { markDropped } from "../../blobs/dropped-blobs.ts";
import type { KeyPart, Records } from "../../database/database.ts";
import { FLOW_VERSION_BUNDLES } from "../../database/record-tables.ts";

/** Bundles that versions of flows of the branch use. */
export async function flowBundleBlobs(records: Records): Promise<readonly string[]> {
  const page = limit("flowsMax");
  const found = new Set<string>();
  for (let after: readonly KeyPart[] | undefined; ;) {
    const rows = await records.range(FLOW_VERSION_BUNDLES, { prefix: [], limit: page, ...(after === undefined ? {} : { after }) });
    for (const { value } of rows) for (const digest of value.digests) found.add(digest);
    if (rows.length < page) return [...found];
    after = rows.at(-1)?.key;
  }
}

/** Within the transaction that deletes a version of a flow: its bundles are collected once history forgets it, unless others use them. */
export async function forgetBundlesOf(
  records: Records,
  { flow, version, nowMs }: { readonly flow: string; readonly version: string; readonly nowMs: number },
): Promise<void> {
  const row = await records.get(FLOW_VERSION_BUNDLES, [flow, version]);
  if (row === undefined) return;
  records.delete(FLOW_VERSION_BUNDLES, [flow, version]);
  markDropped(records, row.digests, nowMs);
}

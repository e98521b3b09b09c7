/** Versions of a flow that are needed no more: neither one of the last moves of its head, nor that of a run that is kept. */
import { limit } from "@plinth/core/limits.ts";
import type { Records } from "../../database/database.ts";
import { FLOW_LEDGER, FLOW_RUNS, FLOW_RUNS_OF_FLOW, FLOW_VERSIONS } from "../../database/record-tables.ts";
import { forgetBundlesOf } from "../bundles/bundle-rows.ts";

const SLICE = 10;
/** Clocks may be moved back, and a start reads the head before its transaction. */
const MARGIN_MS = 3_600_000;

/**
 * In the transaction that moves the head, a few at a time. Every version that a run has had was the head when it began or later, so
 * what was replaced before the oldest run began is needed by none.
 */
export async function dropOldFlowVersions(
  records: Records,
  { flow, seq, nowMs }: { readonly flow: string; readonly seq: number; readonly nowMs: number },
): Promise<void> {
  const kept = limit("flowVersionsShownMax");
  const first = await records.range(FLOW_LEDGER, { prefix: [flow], limit: SLICE + 1 });
  if (Number(first[0]?.key[1] ?? seq) > seq - kept) return;
  const [oldest] = await records.range(FLOW_RUNS_OF_FLOW, { prefix: [flow], limit: 1 });
  const run = oldest === undefined ? undefined : await records.get(FLOW_RUNS, [String(oldest.key[1])]);
  const neededMs = (run?.startedMs ?? Number.POSITIVE_INFINITY) - MARGIN_MS;
  for (const [i, { key, value }] of first.slice(0, SLICE).entries()) {
    const next = first[i + 1];
    if (Number(key[1]) > seq - kept || next === undefined || next.value.createdMs >= neededMs) return;
    records.delete(FLOW_LEDGER, key);
    const rest = await records.range(FLOW_LEDGER, { prefix: [flow], limit: 2 * kept });
    if (rest.length === 2 * kept || rest.some((entry) => entry.value.version === value.version)) continue;
    records.delete(FLOW_VERSIONS, [flow, value.version]);
    await forgetBundlesOf(records, { flow, version: value.version, nowMs });
  }
}

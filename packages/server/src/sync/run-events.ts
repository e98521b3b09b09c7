/** Events of sync runs, for flows and automations: `sync_run_started` and `sync_run_ended`, in the transactions of the moves. */
import type { Transaction } from "../database/database.ts";
import { SUBSCRIPTIONS } from "../database/record-tables.ts";
import type { SyncRunRow, SyncUnitRow } from "./sync-records.ts";

export type SyncMoment = "started" | "ended";

export function syncEventType(moment: SyncMoment): string {
  return `sync_run_${moment}`;
}

/** Written only where somebody listens. */
export async function putSyncEvent(
  transaction: Transaction,
  moment: SyncMoment,
  about: { readonly run: SyncRunRow; readonly unit: SyncUnitRow | undefined; readonly nowMs: number },
): Promise<void> {
  const type = syncEventType(moment);
  if ((await transaction.records.range(SUBSCRIPTIONS, { prefix: [type], limit: 1 })).length === 0) return;
  const { run, unit, nowMs } = about;
  const { mode, status, phase, reason } = run.state;
  const told = {
    ...{ run: run.id, unit: run.unitId, import: unit?.importSlug ?? null, snapIn: run.snapInId, mode, status, phase, reason },
    startedAt: new Date(run.createdMs).toISOString(),
    endedAt: run.endedMs === null ? null : new Date(run.endedMs).toISOString(),
  };
  const id = `${type}:${run.id}`;
  const payload = { id, timestamp: new Date(nowMs).toISOString(), type, unique_key: id, [type]: told };
  transaction.putEvent({ type, sourceId: null, payloadText: JSON.stringify(payload), syncId: run.unitId, createdMs: nowMs });
}

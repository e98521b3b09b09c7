/** A call of an extractor or a loader: one step of a sync run. What it says comes back through the callback, not as its result. */
import { plinthError } from "@plinth/core/errors.ts";
import { syncEventName } from "@plinth/core/policy/sync-events.ts";
import { SNAP_INS, SYNC_RUNS } from "../database/record-tables.ts";
import type { Modality } from "./modality.ts";

export interface SyncTrigger {
  readonly runId: string;
  readonly call: number;
}

export const SYNC: Modality<SyncTrigger, void> = {
  name: "sync",
  prepare: async ({ database }, scope, { runId, call }) => {
    const { run, snapIn } = await database.read(scope, async ({ records }) => {
      const found = await records.get(SYNC_RUNS, [runId]);
      const installed = found === undefined ? undefined : await records.get(SNAP_INS, [found.snapInId]);
      if (found === undefined || installed === undefined) throw plinthError("NotFound", { what: "sync run" });
      return { run: found, snapIn: installed };
    });
    const { phase, resumed } = run.state;
    return {
      path: `@${snapIn.package}/${run.function}`,
      actor: { kind: "function", scopes: ["admin"] },
      subject: {
        snapInId: run.snapInId,
        eventType: syncEventName(phase, run.family, resumed),
        sourceId: run.unitId,
        syncRun: { id: runId, call },
      },
      payload: { sync_run: runId, call },
      priority: "background",
      // The one call of this number, also when the host stopped before it knew that it was stored.
      idempotencyKey: `sync:${runId}:${call}`,
    };
  },
  finish: () => undefined,
};

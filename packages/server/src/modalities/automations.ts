/** Automations: functions of installed packages that run when an event comes. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Scope } from "../database/database.ts";
import { SNAP_INS } from "../database/record-tables.ts";
import { atDepth } from "../engine/cause-depth.ts";
import type { InvocationOutcome } from "../engine/invocation.ts";
import { partName } from "../snap-ins/ids.ts";
import { isLive } from "../snap-ins/snap-in-records.ts";
import type { Modality, ModalityCall } from "./modality.ts";
import type { ModalityContext } from "./modality-context.ts";

export interface AutomationTrigger {
  readonly snapInId: string;
  readonly automation: string;
  readonly function: string;
  readonly eventType: string;
  readonly userId: string | null;
  readonly causeDepth?: number;
  readonly payload: unknown;
}

export const AUTOMATION: Modality<AutomationTrigger, InvocationOutcome> = {
  name: "automation",

  async prepare({ database }: Pick<ModalityContext, "database">, scope: Scope, trigger: AutomationTrigger): Promise<ModalityCall> {
    const snapIn = await database.readKept(scope, `snap-in\n${trigger.snapInId}`, ({ records }) =>
      records.get(SNAP_INS, [trigger.snapInId]),
    );
    if (snapIn === undefined) throw plinthError("NotFound", { what: "snap-in of the automation" });
    if (!isLive(snapIn)) throw plinthError("WrongState", { what: "snap-in", state: snapIn.state, wanted: "active" });
    return {
      path: `@${snapIn.package}/${trigger.function}`,
      actor: atDepth({ kind: "function", scopes: ["admin"] }, trigger.causeDepth),
      subject: {
        snapInId: trigger.snapInId,
        eventType: trigger.eventType,
        sourceId: partName(scope, trigger.snapInId, { kind: "automation", name: trigger.automation }),
        ...(trigger.userId === null ? {} : { userId: trigger.userId }),
      },
      payload: trigger.payload,
      priority: "background",
    };
  },

  finish: (_context, _trigger, outcome) => outcome,
};

/** Started by hand: `plinth flow run`, or the API. */
import type { TriggerKind } from "./trigger.ts";

export const manualTrigger: TriggerKind = { type: "manual", source: "native" };

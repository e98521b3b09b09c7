/** Requests of the world to an address of the flow's own. */
import type { TriggerKind } from "./trigger.ts";

export const webhookTrigger: TriggerKind = { type: "webhook", source: "native" };

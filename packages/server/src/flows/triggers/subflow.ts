/** Started by other flows. */
import type { TriggerKind } from "./trigger.ts";

export const subflowTrigger: TriggerKind = { type: "subflow", source: "function" };

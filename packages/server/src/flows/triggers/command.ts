/** What users type: `/<name> <parameters>`. The first context is `{object, parameters, surface, user}`. */
import type { TriggerKind } from "./trigger.ts";

export const commandTrigger: TriggerKind = { type: "command", source: "command" };

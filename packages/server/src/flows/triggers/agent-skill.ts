/** Tools of agents. The first context is the input of the call. */
import type { TriggerKind } from "./trigger.ts";

export const agentSkillTrigger: TriggerKind = { type: "agentSkill", source: "agentSkill" };

/** Every type of trigger. To add one: its file, and its line here. */
import type { FlowFinding, FlowTrigger, TriggerType } from "@plinth/core/flow/definition.ts";
import { agentSkillTrigger } from "./agent-skill.ts";
import { apiTrigger } from "./api.ts";
import { commandTrigger } from "./command.ts";
import { eventTrigger } from "./event.ts";
import { manualTrigger } from "./manual.ts";
import { objectTrigger } from "./object.ts";
import { subflowTrigger } from "./subflow.ts";
import { syncTrigger } from "./sync.ts";
import { timerTrigger } from "./timer.ts";
import type { TriggerKind, TriggerPlace } from "./trigger.ts";
import { webhookTrigger } from "./webhook.ts";

export const TRIGGER_KINDS: Readonly<Record<TriggerType, TriggerKind>> = {
  manual: manualTrigger,
  api: apiTrigger,
  webhook: webhookTrigger,
  object: objectTrigger,
  event: eventTrigger,
  timer: timerTrigger,
  sync: syncTrigger,
  command: commandTrigger,
  agentSkill: agentSkillTrigger,
  subflow: subflowTrigger,
};

export function triggerKind(type: string): TriggerKind | undefined {
  return Object.values(TRIGGER_KINDS).find((kind) => kind.type === type);
}

/** What is wrong with a trigger on this host. */
export async function triggerFindings(trigger: FlowTrigger, place: TriggerPlace): Promise<readonly FlowFinding[]> {
  return (await TRIGGER_KINDS[trigger.type].findings?.(trigger, place)) ?? [];
}

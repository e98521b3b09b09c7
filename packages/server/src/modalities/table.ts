/** Every modality, under the name that records, metrics and the API give it. To add one: its file, and its line here. */
import { AGENT_SKILLS } from "./agent-skills.ts";
import { AUTOMATION } from "./automations.ts";
import { COMMANDS } from "./commands.ts";
import { KEYRING_CHECKS } from "./keyring-checks.ts";
import { SNAP_KIT_ACTIONS } from "./snap-kit.ts";
import { SYNC } from "./sync.ts";

export const MODALITIES = {
  automation: AUTOMATION,
  snapKit: SNAP_KIT_ACTIONS,
  keyring: KEYRING_CHECKS,
  command: COMMANDS,
  sync: SYNC,
  agentSkill: AGENT_SKILLS,
} as const;

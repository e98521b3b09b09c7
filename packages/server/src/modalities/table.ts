/** Every modality. To add one: its file, and its line here. */
import { AGENT_SKILLS } from "./agent-skills.ts";
import { AUTOMATION } from "./automations.ts";
import { COMMANDS } from "./commands.ts";
import { KEYRING_CHECKS } from "./keyring-checks.ts";
import type { ModalityName } from "./modality.ts";
import { SNAP_KIT_ACTIONS } from "./snap-kit.ts";
import { SYNC } from "./sync.ts";

export const MODALITIES: Readonly<Partial<Record<ModalityName, { readonly name: ModalityName }>>> = {
  agentSkill: AGENT_SKILLS,
  automation: AUTOMATION,
  command: COMMANDS,
  keyring: KEYRING_CHECKS,
  snapKit: SNAP_KIT_ACTIONS,
  sync: SYNC,
};

/** Every modality. To add one: its file, and its line here. */
import { AUTOMATION } from "./automations.ts";
import { COMMANDS } from "./commands.ts";
import type { ModalityName } from "./modality.ts";
import { SNAP_KIT_ACTIONS } from "./snap-kit.ts";
import { SYNC } from "./sync.ts";

export const MODALITIES: Readonly<Partial<Record<ModalityName, { readonly name: ModalityName }>>> = {
  automation: AUTOMATION,
  command: COMMANDS,
  snapKit: SNAP_KIT_ACTIONS,
  sync: SYNC,
};

/** Every modality. To add one: its file, and its line here. */
import { COMMANDS } from "./commands.ts";
import type { ModalityName } from "./modality.ts";
import { SNAP_KIT_ACTIONS } from "./snap-kit.ts";

export const MODALITIES: Readonly<Partial<Record<ModalityName, { readonly name: ModalityName }>>> = {
  command: COMMANDS,
  snapKit: SNAP_KIT_ACTIONS,
};

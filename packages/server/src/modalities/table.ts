/** Every modality. To add one: its file, and its line here. */
import type { ModalityName } from "./modality.ts";

export const MODALITIES: Readonly<Partial<Record<ModalityName, { readonly name: ModalityName }>>> = {};

/** `later` of nodes whose result may come by a callback, long after the call. */
import { limit } from "../../limits.ts";
import type { MayBeLater } from "../calls.ts";
import { DURATION_FORM, durationMs } from "../durations.ts";
import { StepFailure } from "../flow-error.ts";
import type { NodeReader } from "../node-reader.ts";
import type { Resolver } from "../node-type.ts";
import type { Template } from "../template.ts";
import { formField } from "./form-fields.ts";

export const LATER_FIELD = formField(
  "later",
  "text",
  "A duration: the call is given a callback and may answer that its result comes by it, within that time.",
  { editor: "expression" },
);

/** `why` says what cannot answer later; null for what can. */
export function readLater(reader: NodeReader, why: string | null): Template | null {
  const template = reader.duration("later");
  if (template !== null && why !== null) reader.error("later", `has no effect: ${why}; remove it.`);
  return template;
}

export function resolveLater(template: Template | null, resolver: Resolver): MayBeLater {
  if (template === null) return {};
  const ms = durationMs(resolver.value(template).json);
  if (ms === null) throw new StepFailure("invalid_input", `\`later\` is no duration; give ${DURATION_FORM}.`);
  return { laterMs: Math.min(ms, limit("flowWaitMsMax")) };
}

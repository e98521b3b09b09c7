/** Events about the tenant itself, such as `budget_stage_changed` and `limit_refused`. The first context is what the event tells. */
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { EventRow } from "../../events/event-records.ts";
import type { TriggerKind } from "./trigger.ts";

export const eventTrigger: TriggerKind = {
  type: "event",
  source: "automation",
  eventTypes: ({ event }) => (typeof event === "string" ? [event] : []),
  context: toldBy,
};

/** Payloads of such events have what they tell under the name of their type. */
export function toldBy({ type, payloadText }: EventRow): Json {
  const payload = JSON.parse(payloadText) as Json;
  const told = isRecord(payload) ? payload[type] : undefined;
  return told ?? payload;
}

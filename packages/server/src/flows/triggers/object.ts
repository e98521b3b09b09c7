/**
 * Changes of documents: `{event: "account_created"}`. The event is written in the transaction of the change. The first context is the
 * document as it is after the change, or was before it was deleted; `_before` is what it was before an update, and `_event` says what
 * happened. A document that is too large for an event is named by its `_id`, and `_event.truncated` is true.
 */
import type { FlowFinding, FlowTrigger } from "@plinth/core/flow/definition.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { EventRow } from "../../events/event-records.ts";
import { payloadName } from "../../events/object-events.ts";
import type { TriggerKind, TriggerPlace } from "./trigger.ts";

const SHOWN = 30;

export const objectTrigger: TriggerKind = {
  type: "object",
  source: "automation",
  eventTypes: ({ event }) => (typeof event === "string" ? [event] : []),
  context: documentOf,
  findings: unknownObject,
};

/** Tables may come later. */
async function unknownObject({ data: { event } }: FlowTrigger, { scope, operations }: TriggerPlace): Promise<readonly FlowFinding[]> {
  const triggers = (await operations.list(scope)).filter(({ type, origin }) => type === "trigger" && origin === "object");
  if (triggers.some(({ slug }) => slug === event)) return [];
  const known = triggers.map(({ slug }) => slug).slice(0, SHOWN);
  const shown = known.length === 0 ? "" : ` There is ${known.join(", ")}.`;
  const path = "trigger.data.event";
  const message = `${path} is an event of no table of the schema of this branch; it starts no run until there is one.${shown}`;
  return [{ path, node: null, severity: "warning", message }];
}

function documentOf({ id, type, payloadText }: EventRow): Json {
  const payload = JSON.parse(payloadText) as Json;
  const change = isRecord(payload) ? payload[type] : undefined;
  if (!isRecord(change)) return null;
  const name = payloadName(type.replace(/_[a-z]+$/, ""));
  const { [name]: after, [`old_${name}`]: before } = change;
  const truncated = change["truncated"] === true;
  const at = isRecord(payload) ? (payload["timestamp"] ?? null) : null;
  const document = isRecord(after) ? after : isRecord(before) ? before : { _id: change["id"] ?? null };
  const isUpdate = isRecord(after) && isRecord(before);
  return { ...document, _before: isUpdate ? before : null, _event: { id, type, at, truncated } };
}

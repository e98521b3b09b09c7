/** `event-sources.*`: the sources of the caller's snap-in, and events that it gives to itself now or later. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { EVENT_SOURCES } from "../../database/record-tables.ts";
import { snapInName } from "../../snap-ins/ids.ts";
import type { EventSourceRow } from "../../snap-ins/snap-in-records.ts";
import type { EventSource } from "../../snap-ins/snap-ins.ts";
import type { Caller, DoorContext } from "../door.ts";
import { optionalBooleanField, optionalTextField, textField } from "../fields.ts";
import { parseJson } from "../request-body.ts";
import type { FacadeCall, FacadeRequest } from "./call.ts";
import { snapInOf } from "./snap-ins.ts";

const EVENT_TYPE = /^[\x21-\x7e]{1,200}$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** `{id}` → `{event_source}`. */
export const getEventSource: FacadeCall = {
  scope: null,
  handle: async (context, request) => ({ event_source: await shown(context, request.caller, await sourceOf(context, request)) }),
};

/** `{snap_in?}` → `{event_sources}`: of the caller's snap-in, or of the one that is named. */
export const listEventSources: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const own = caller.actor.service?.snapInId;
    const snapIn = await snapInOf(context, { caller, args: own === undefined ? args : { id: own } });
    return {
      event_sources: snapIn.eventSources.map((source) => ({
        id: source.id,
        display_id: source.id,
        name: source.name,
        type: source.type,
        snap_in: snapInName(caller.scope, snapIn.id),
        ...addressOf(source),
      })),
    };
  },
};

/**
 * `{id, event_type, payload, publish_at?, event_key?, update_if_exists?}` → `{event_key}`. `payload` is JSON in base64. A key that waits
 * already is refused unless it may be replaced.
 */
export const scheduleEvent: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const { args, caller } = request;
    const source = await sourceOf(context, request);
    if (source.type !== "flow-events")
      throw plinthError("BadRequest", { detail: "Events are scheduled at sources of the type `flow-events`." });
    if (!source.enabled) throw plinthError("WrongState", { what: "event source", state: "disabled", wanted: "enabled" });
    const eventType = textField(args, "event_type");
    if (!EVENT_TYPE.test(eventType)) throw plinthError("BadRequest", { detail: "`event_type` must be 1 to 200 visible ASCII characters." });
    const key = optionalTextField(args, "event_key");
    if (key !== undefined && !EVENT_TYPE.test(key))
      throw plinthError("BadRequest", { detail: "`event_key` must be 1 to 200 visible ASCII characters." });
    const publishAtMs = timeOf(optionalTextField(args, "publish_at"));
    const event = {
      sourceId: source.id,
      type: eventType,
      payload: payloadOf(textField(args, "payload")),
      syncId: null,
      ...(publishAtMs === undefined ? {} : { publishAtMs }),
      ...(key === undefined ? {} : { key }),
      updateIfExists: optionalBooleanField(args, "update_if_exists") ?? false,
      causeDepth: caller.actor.causeDepth ?? 0,
    };
    const done = await context.database.update(caller.scope, (transaction) => context.events.schedule(transaction, event));
    return { event_key: done.key };
  },
};

/** `{id, event_key}` → `{}`. */
export const unscheduleEvent: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const source = await sourceOf(context, request);
    const eventKey = textField(request.args, "event_key");
    const found = await context.database.update(request.caller.scope, (transaction) =>
      context.events.unschedule(transaction, source.id, eventKey),
    );
    if (!found) throw plinthError("NotFound", { what: "scheduled event with this key" });
    return {};
  },
};

/** The source of the id. A token sees those of its snap-in. */
async function sourceOf(context: DoorContext, { caller, args }: Pick<FacadeRequest, "caller" | "args">): Promise<EventSourceRow> {
  const id = textField(args, "id");
  const own = caller.actor.service?.snapInId;
  const owners = own === undefined ? (await context.snapIns.list(caller.scope)).map((snapIn) => snapIn.id) : [own];
  const found = await context.database.read(caller.scope, async ({ records }) => {
    for (const owner of owners) {
      const row = await records.get(EVENT_SOURCES, [owner, id]);
      if (row !== undefined) return row;
    }
    return undefined;
  });
  if (found === undefined) throw plinthError("NotFound", { what: "event source with this id" });
  return found;
}

async function shown(context: DoorContext, { scope }: Caller, row: EventSourceRow) {
  const snapIn = await context.snapIns.get(scope, row.snapInId);
  const source = snapIn?.eventSources.find(({ id }) => id === row.id);
  return {
    id: row.id,
    display_id: row.id,
    created_date: new Date(row.createdMs).toISOString(),
    name: row.name,
    type: row.type,
    snap_in: snapInName(scope, row.snapInId),
    status: row.enabled ? "active" : "paused",
    config: row.config,
    ...(source === undefined ? {} : addressOf(source)),
  };
}

/** What sources that take nothing from outside do not have is absent. */
function addressOf({ triggerUrl, setupInstructions }: EventSource) {
  return {
    ...(triggerUrl === null ? {} : { trigger_url: triggerUrl }),
    ...(setupInstructions === null ? {} : { setup_instructions: { content: setupInstructions } }),
  };
}

function payloadOf(text: string): unknown {
  const max = limit("eventPayloadBytesMax");
  const actual = Math.floor((text.length * 3) / 4);
  if (actual > max) throw plinthError("RequestTooLarge", { what: "payload", actual: `${actual} bytes`, max: `${max} bytes` });
  const wrong = () => plinthError("BadRequest", { detail: "`payload` must be JSON in base64." });
  if (!BASE64.test(text)) throw wrong();
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "base64")));
  } catch {
    throw wrong();
  }
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw plinthError("BadRequest", { detail: "`publish_at` must be a time as `2026-01-31T12:00:00Z`." });
  return ms;
}

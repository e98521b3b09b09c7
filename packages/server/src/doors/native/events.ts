/** `/v1/events`: events for packages, what waits to be delivered, and what could not be. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { DeadLetter } from "../../events/events.ts";
import type { EventSource } from "../../snap-ins/snap-ins.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { optionalBooleanField, optionalTextField, textField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { EVENT_DOCS } from "./events-doc.ts";

const DEAD_LETTER = "/v1/events/dead-letters/:id";
const EVENT_TYPE = /^[!-~]{1,128}$/;

/**
 * `{snapIn, source, type, payload?, syncId?, publishAt?, key?, updateIfExists?}`: for a source of the type `flow-events`, at once or at
 * `publishAt`. A key that waits already is a conflict, unless it may be changed.
 */
export const publishEvent: DocumentedRoute = {
  method: "POST",
  path: "/v1/events",
  access: ["invoke"],
  doc: EVENT_DOCS.publishEvent,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const source = await sourceOf(context, request, { snapIn: textField(body, "snapIn"), source: textField(body, "source") });
    const type = textField(body, "type");
    if (!EVENT_TYPE.test(type)) throw wrongField("type", "1 to 128 visible ASCII characters", type);
    const publishAtMs = timeField(body, "publishAt");
    const key = optionalTextField(body, "key");
    const event = {
      sourceId: source.id,
      type,
      payload: body["payload"] ?? {},
      syncId: optionalTextField(body, "syncId") ?? null,
      updateIfExists: optionalBooleanField(body, "updateIfExists") ?? false,
      ...(publishAtMs === undefined ? {} : { publishAtMs }),
      ...(key === undefined ? {} : { key }),
      causeDepth: request.caller.actor.causeDepth ?? 0,
    };
    const stored = await context.database.update(request.caller.scope, (transaction) => context.events.schedule(transaction, event));
    return jsonReply(stored, 202);
  },
};

/** `?snapIn=&source=&key=`: takes an event back that waits for its time. */
export const unscheduleEvent: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/events",
  access: ["invoke"],
  doc: EVENT_DOCS.unscheduleEvent,
  handle: async (context, request): Promise<Reply> => {
    const { query, caller } = request;
    const named = { snapIn: query.get("snapIn") ?? "", source: query.get("source") ?? "" };
    const key = query.get("key") ?? "";
    const source = await sourceOf(context, request, named);
    const found = await context.database.update(caller.scope, (transaction) => context.events.unschedule(transaction, source.id, key));
    if (!found) throw plinthError("NotFound", { what: "event of the source that waits with this key" });
    return jsonReply({ key, deleted: true });
  },
};

export const listWaiting: DocumentedRoute = {
  method: "GET",
  path: "/v1/events/waiting",
  access: ["read"],
  doc: EVENT_DOCS.listWaiting,
  handle: async (context, { caller }): Promise<Reply> => {
    const waiting = await context.events.waiting(caller.scope);
    return jsonReply({ waiting, events: context.events.backlog(caller.scope) });
  },
};

/** `?after=&limit=` */
export const listDeadLetters: DocumentedRoute = {
  method: "GET",
  path: "/v1/events/dead-letters",
  access: ["read"],
  doc: EVENT_DOCS.listDeadLetters,
  handle: async (context, { caller, query }): Promise<Reply> => {
    const most = limit("deadLettersShownMax");
    const count = Number(query.get("limit") ?? most);
    if (!Number.isInteger(count) || count < 1 || count > most) throw wrongField("limit", `a whole number from 1 to ${most}`, count);
    const after = query.get("after");
    const page = { limit: count, ...(after === null ? {} : { after }) };
    const deadLetters = await context.events.deadLetters(caller.scope, page);
    return jsonReply({ deadLetters: deadLetters.map(withoutPayload) });
  },
};

export const getDeadLetter: DocumentedRoute = {
  method: "GET",
  path: DEAD_LETTER,
  access: ["read"],
  doc: EVENT_DOCS.getDeadLetter,
  handle: async (context, request): Promise<Reply> => {
    const found = await context.events.deadLetter(request.caller.scope, idOf(request));
    if (found === undefined) throw noDeadLetter();
    return jsonReply(found);
  },
};

/** Puts it behind what waits now. */
export const replayDeadLetter: DocumentedRoute = {
  method: "POST",
  path: `${DEAD_LETTER}/replay`,
  access: ["invoke"],
  doc: EVENT_DOCS.replayDeadLetter,
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    if (!(await context.events.replay(request.caller.scope, id))) throw noDeadLetter();
    return jsonReply({ id, replayed: true }, 202);
  },
};

export const discardDeadLetter: DocumentedRoute = {
  method: "DELETE",
  path: DEAD_LETTER,
  access: ["invoke"],
  doc: EVENT_DOCS.discardDeadLetter,
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    if (!(await context.events.discard(request.caller.scope, id))) throw noDeadLetter();
    return jsonReply({ id, deleted: true });
  },
};

/** By the id of the snap-in or the name of its package, and the id or name of the source. */
async function sourceOf(
  context: DoorContext,
  { caller }: Pick<DoorRequest, "caller">,
  named: { readonly snapIn: string; readonly source: string },
): Promise<EventSource> {
  const all = await context.snapIns.list(caller.scope);
  const snapIn = all.find((each) => each.id === named.snapIn || each.package === named.snapIn);
  if (snapIn === undefined) throw plinthError("NotFound", { what: "snap-in with this id or package" });
  if (snapIn.state !== "active") throw plinthError("WrongState", { what: "snap-in", state: snapIn.state, wanted: "active" });
  const source = snapIn.eventSources.find(
    ({ id, name, owner }) => id === named.source || (name === named.source && owner.user === undefined),
  );
  if (source === undefined) throw plinthError("NotFound", { what: "event source of the snap-in with this id or name" });
  if (source.type !== "flow-events")
    throw plinthError("BadRequest", {
      detail: `The source has the type '${source.type}'; only those of the type 'flow-events' take events this way.`,
    });
  return source;
}

function timeField(body: JsonObject, name: string): number | undefined {
  const text = optionalTextField(body, name);
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw wrongField(name, "a time such as 2030-01-31T09:30:00Z", text);
  return ms;
}

function withoutPayload({ event, ...letter }: DeadLetter) {
  const { id, type, sourceId, syncId, createdMs } = event;
  return { ...letter, event: { id, type, sourceId, syncId, createdMs } };
}

function idOf(request: DoorRequest): string {
  const id = request.params["id"] ?? "";
  if (!/^dlv_[0-9A-Za-z_.-]{1,120}$/.test(id)) throw noDeadLetter();
  return id;
}

function noDeadLetter() {
  return plinthError("NotFound", { what: "dead letter with this id" });
}

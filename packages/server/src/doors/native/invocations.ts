/** `/v1/invocations/{id}`: the record of a call, its events while it runs, and its end. */
import { plinthError } from "@plinth/core/errors.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorRequest, type Reply } from "../door.ts";
import { streamFormOf } from "../event-stream.ts";
import { eventText, recordText } from "./outcome-json.ts";
import { json, jsonOrEvents, type DocumentedRoute } from "../openapi/route-doc.ts";
import { anything, closed, flag, text } from "../openapi/schema.ts";
import { invocationEvents, OUTCOME, RECORD } from "../openapi/schemas.ts";

const PATH = "/v1/invocations/:id";
const ID = /^[0-9A-Za-z_-]{1,64}$/;

export const getInvocation: DocumentedRoute = {
  method: "GET",
  path: PATH,
  access: ["read", "invoke"],
  doc: {
    summary: "Read the record of a call",
    description: "As a stream it tells what happened and what happens until the end.",
    tag: "Invocations",
    answers: { 200: jsonOrEvents(RECORD, invocationEvents(OUTCOME)) },
    errors: ["NotFound"],
  },
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    const { scope, actor } = request.caller;
    const record = await context.engine.get(scope, id);
    if (record === undefined) throw noInvocation(id);
    const view = { redact: context.redactErrors && !hasScope(actor, "admin") && !hasScope(actor, "read") };
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) return jsonTextReply(recordText(record, view));
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        for await (const event of context.engine.watch(scope, id, stream.signal)) {
          if (view.redact && event.type === "log") continue;
          stream.send(event.type, eventText(event, view));
        }
      },
    };
  },
};

export const cancelInvocation: DocumentedRoute = {
  method: "DELETE",
  path: PATH,
  access: ["invoke"],
  doc: {
    summary: "Cancel a call",
    tag: "Invocations",
    answers: { 200: json(closed({ id: text(), cancelled: flag("False when it had ended already.") })) },
    errors: ["NotFound"],
  },
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    const { scope } = request.caller;
    if ((await context.engine.get(scope, id)) === undefined) throw noInvocation(id);
    return jsonReply({ id, cancelled: await context.engine.cancel(scope, id) });
  },
};

/** `GET /v1/invocations/{id}/artefacts/{name}`: a file that the function left. */
export const getArtefact: DocumentedRoute = {
  method: "GET",
  path: `${PATH}/artefacts/:name`,
  access: ["read", "invoke"],
  doc: {
    summary: "Read a file that a function left",
    tag: "Invocations",
    answers: { 200: { description: "The file, with the type that the function gave it.", content: { "*/*": anything() } } },
    errors: ["NotFound"],
  },
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    const { scope } = request.caller;
    const found = await context.engine.artefact(scope, id, request.params["name"] ?? "");
    if (found === undefined) throw plinthError("NotFound", { what: "artefact of this name" });
    // A browser must not run what a function left under the host's own origin.
    const headers = { "content-disposition": "attachment", "x-content-type-options": "nosniff", "content-security-policy": "sandbox" };
    return { kind: "text", status: 200, contentType: found.artefact.contentType, body: found.body, headers };
  },
};

function idOf(request: DoorRequest): string {
  const id = request.params["id"] ?? "";
  if (!ID.test(id)) throw noInvocation(id);
  return id;
}

function noInvocation(id: string) {
  return plinthError("NotFound", { what: `invocation '${id.slice(0, 64)}'` });
}

/** `/v1/invocations/{id}`: the record of a call, its events while it runs, and its end. */
import { plinthError } from "@plinth/core/errors.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorRequest, type Reply, type Route } from "../door.ts";
import { streamFormOf } from "../event-stream.ts";
import { eventText, recordText } from "./outcome-json.ts";

const PATH = "/v1/invocations/:id";
const ID = /^[0-9A-Za-z_-]{1,64}$/;

export const getInvocation: Route = {
  method: "GET",
  path: PATH,
  access: ["read", "invoke"],
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

export const cancelInvocation: Route = {
  method: "DELETE",
  path: PATH,
  access: ["invoke"],
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    const { scope } = request.caller;
    if ((await context.engine.get(scope, id)) === undefined) throw noInvocation(id);
    return jsonReply({ id, cancelled: await context.engine.cancel(scope, id) });
  },
};

/** `GET /v1/invocations/{id}/artefacts/{name}`: a file that the function left. */
export const getArtefact: Route = {
  method: "GET",
  path: `${PATH}/artefacts/:name`,
  access: ["read", "invoke"],
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

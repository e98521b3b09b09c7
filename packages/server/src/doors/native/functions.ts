/** `/v1/functions`: what is deployed, and calls of it, at once or later. */
import { plinthError } from "@plinth/core/errors.ts";
import { isHandlerPath } from "../../engine/function-address.ts";
import type { InvocationRequest } from "../../engine/invocation.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorContext, type DoorRequest, type Reply, type Route } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { argumentsField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { isAsynchronous, readCallSettings } from "./call-settings.ts";
import { eventText, outcomeText, type ViewOptions } from "./outcome-json.ts";

/** `GET /v1/functions` */
export const listFunctions: Route = {
  method: "GET",
  path: "/v1/functions",
  access: ["read", "invoke", "deploy"],
  handle: async (context, { caller }): Promise<Reply> => {
    const version = await context.deploys.version(caller.scope);
    const functions = await context.deploys.list(caller.scope);
    const admin = hasScope(caller.actor, "admin") || hasScope(caller.actor, "deploy");
    return jsonReply({
      branch: caller.scope.branch,
      version: version?.digest ?? null,
      functions: admin ? functions : functions.filter((fn) => fn.visibility === "public"),
    });
  },
};

/** `POST /v1/functions/{path}/resolve`: which version would run, and what it takes. */
export const resolveFunction: Route = {
  method: "POST",
  path: "/v1/functions/:id/resolve",
  access: ["invoke", "read", "deploy"],
  handle: async (context, { caller, params }): Promise<Reply> => {
    const path = params["id"] ?? "";
    const found = await (isHandlerPath(path) ? context.snapIns : context.deploys).resolve(caller.scope, path);
    if (found === undefined || (found.visibility === "internal" && !hasScope(caller.actor, "admin")))
      throw plinthError(isHandlerPath(path) ? "HandlerNotFound" : "FunctionNotFound", { path });
    const { kind, visibility, args, returns } = found;
    return jsonReply({ path: found.path, kind, visibility, branch: caller.scope.branch, version: found.version.digest, args, returns });
  },
};

/**
 * `POST /v1/functions/{path}/execute` with `{args, mode?, priority?, deadlineMs?, idempotencyKey?}`. With mode
 * `async` or `Prefer: respond-async` it answers 202 when the call is stored durably; with `Accept:
 * text/event-stream` it answers with what happens as it happens.
 */
export const executeFunction: Route = {
  method: "POST",
  path: "/v1/functions/:id/execute",
  access: ["invoke"],
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request, { optional: true });
    const invocation = readInvocation(request, body);
    if (isAsynchronous(request, body)) return await enqueue(context, request, invocation);
    const view: ViewOptions = { redact: context.redactErrors && !hasScope(request.caller.actor, "admin") };
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) return await executeNow(context, invocation, view);
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        try {
          await context.engine.invoke(invocation, {
            onEvent: (event) => (view.redact && event.type === "log" ? undefined : stream.send(event.type, eventText(event, view))),
          });
        } catch (error) {
          const registered = registeredError(context, error);
          stream.send("error", JSON.stringify({ code: registered.code, message: registered.message, next: registered.next }));
        }
      },
    };
  },
};

async function executeNow(context: DoorContext, invocation: InvocationRequest, view: ViewOptions): Promise<Reply> {
  const outcome = await context.engine.invoke(invocation);
  // A failure of the function is a result; one of the platform is an error.
  if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
  return jsonTextReply(outcomeText(outcome, view));
}

async function enqueue(context: DoorContext, request: DoorRequest, invocation: InvocationRequest): Promise<Reply> {
  const { id } = await context.engine.enqueue(invocation);
  const location = `${request.caller.prefix}/v1/invocations/${id}${request.caller.query}`;
  return jsonReply({ id, status: "queued", location }, 202, { location });
}

function readInvocation(request: DoorRequest, body: JsonObject): InvocationRequest {
  const { actor, scope } = request.caller;
  return {
    ...scope,
    actor,
    source: "native",
    path: request.params["id"] ?? "",
    internalAllowed: hasScope(actor, "admin"),
    argsText: argumentsField(body, body["args"] === undefined ? "input" : "args"),
    ...readCallSettings(request, body),
  };
}

/** `/v1/functions`: what is deployed, and calls of it, at once or later. */
import { plinthError } from "@plinth/core/errors.ts";
import { isHandlerPath } from "../../engine/function-address.ts";
import type { InvocationRequest } from "../../engine/invocation.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { argumentsField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { CALL_HEADERS, CALL_PROPERTIES, isAsynchronous, readCallSettings } from "./call-settings.ts";
import { eventText, outcomeText, type ViewOptions } from "./outcome-json.ts";
import { json, jsonOrEvents, optionalJsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { anything, closed, list, mapOf, named, NULL, oneOf, open, orNull, text } from "../openapi/schema.ts";
import { FUNCTION_KIND, invocationEvents, LOCATION, OUTCOME, queued, VISIBILITY } from "../openapi/schemas.ts";
import { RUN_ERRORS } from "../openapi/general-errors.ts";

const PATH = { id: text("`dir/module:export`, or `@<package>/<function>` for functions of packages.") };
const ARGS = oneOf(mapOf(anything(), "Arguments of the function."), list(mapOf(anything()), "A list with them.", { maxItems: 1 }), NULL);

/** `GET /v1/functions` */
export const listFunctions: DocumentedRoute = {
  method: "GET",
  path: "/v1/functions",
  access: ["read", "invoke", "deploy"],
  doc: {
    summary: "List what is deployed",
    description: "Internal functions only for keys with `deploy` or `admin`.",
    tag: "Functions",
    answers: {
      200: json(
        named(
          "FunctionList",
          closed({
            branch: text(),
            version: orNull(text("Digest of the version that serves; null when there is none.")),
            functions: list(closed({ path: text(), kind: FUNCTION_KIND, visibility: VISIBILITY })),
          }),
        ),
      ),
    },
  },
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
export const resolveFunction: DocumentedRoute = {
  method: "POST",
  path: "/v1/functions/:id/resolve",
  access: ["invoke", "read", "deploy"],
  doc: {
    summary: "Which version would run, and what it takes",
    tag: "Functions",
    path: PATH,
    answers: {
      200: json(
        named(
          "ResolvedFunction",
          closed({
            path: text(),
            kind: FUNCTION_KIND,
            visibility: VISIBILITY,
            branch: text(),
            version: text(),
            args: anything("Validator of the arguments."),
            returns: anything("Validator of the result."),
          }),
        ),
      ),
    },
    errors: ["FunctionNotFound", "HandlerNotFound"],
  },
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
export const executeFunction: DocumentedRoute = {
  method: "POST",
  path: "/v1/functions/:id/execute",
  access: ["invoke"],
  doc: {
    summary: "Call a function",
    tag: "Functions",
    path: PATH,
    headers: CALL_HEADERS,
    body: optionalJsonBody(
      open({
        "args?": ARGS,
        "input?": { ...ARGS, description: "In place of `args`." },
        ...CALL_PROPERTIES,
      }),
    ),
    answers: {
      200: jsonOrEvents(OUTCOME, invocationEvents(OUTCOME), "The call has ended; a failure of the function is a result."),
      202: { ...json(queued("QueuedCall"), "The call is stored durably."), headers: { Location: LOCATION } },
    },
    errors: ["FunctionNotFound", "HandlerNotFound", "WrongFunctionKind", "WrongState", ...RUN_ERRORS],
  },
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

/**
 * The interface that snap-ins call back with the tokens of their events: `GET` or `POST` `/<object>.<verb>`, also below `/internal` and
 * `/public`. Calls about the platform are in `calls.ts`; all others are functions of the branch, `facade/<object>:<verb>`.
 */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { jsonReply, jsonTextReply, type DoorContext, type DoorRequest, type Reply, type Route, type TextReply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { readJsonObject } from "../request-body.ts";
import { mustHaveKeyScope, mustHaveScope, scopeOfCall } from "./access.ts";
import { argsOfQuery } from "./query-args.ts";
import { callFunction, functionPath } from "./branch-functions.ts";
import { KEY_SCOPES, PLATFORM_CALLS } from "./calls.ts";
import { errorBody } from "./error-body.ts";

/** One segment with a dot, so that no other path is meant. */
const CALL = ":call(^[a-z][a-z0-9-]*\\.[a-z][a-z0-9.-]*$)";

export const getCall = callRoute("GET", "/");
export const postCall = callRoute("POST", "/");
export const getInternalCall = callRoute("GET", "/internal/");
export const postInternalCall = callRoute("POST", "/internal/");
export const getPublicCall = callRoute("GET", "/public/");
export const postPublicCall = callRoute("POST", "/public/");

function callRoute(method: "GET" | "POST", prefix: string): Route {
  return {
    method,
    path: `${prefix}${CALL}`,
    access: ["invoke", "read", "deploy"],
    serviceTokens: true,
    crossOrigin: false,
    handle: answer,
  };
}

async function answer(context: DoorContext, request: DoorRequest): Promise<Reply> {
  try {
    return await run(context, request);
  } catch (error) {
    return errorReply(context, error);
  }
}

async function run(context: DoorContext, request: DoorRequest): Promise<Reply> {
  const { caller } = request;
  const name = request.params["call"] ?? "";
  const args = { ...argsOfQuery(request.query), ...readJsonObject(request, { optional: true }) };
  const platform = Object.hasOwn(PLATFORM_CALLS, name) ? PLATFORM_CALLS[name] : undefined;
  if (platform !== undefined) {
    if (platform.scope !== null) mustHaveScope(caller, platform.scope);
    mustHaveKeyScope(caller, KEY_SCOPES[name] ?? ["invoke"]);
    return jsonReply(await platform.handle(context, { caller, args, signal: request.signal }), statusOf(name));
  }
  mustHaveKeyScope(caller, ["invoke"]);
  const { object, verb } = splitCall(name);
  mustHaveScope(caller, scopeOfCall(object, verb, args["type"]));
  const text = await callFunction(context, { caller, path: functionPath(object, verb), args, signal: request.signal });
  return jsonTextReply(text, statusOf(name));
}

function splitCall(name: string): { readonly object: string; readonly verb: string } {
  const dot = name.indexOf(".");
  return { object: name.slice(0, dot), verb: name.slice(dot + 1) };
}

function statusOf(name: string): number {
  return name.endsWith(".create") ? 201 : 200;
}

function errorReply(context: DoorContext, error: unknown): TextReply {
  const registered =
    error instanceof PlinthError && error.code === "FunctionNotFound" ? noSuchCall(error) : registeredError(context, error);
  const { status, body } = errorBody(registered, { redact: context.redactErrors });
  const headers = status === 429 || status === 503 ? { "retry-after": "1" } : undefined;
  return jsonReply(body, status, headers);
}

function noSuchCall(cause: PlinthError): PlinthError {
  return plinthError(
    "NotFound",
    { what: "call of this name: neither the platform nor a function of the branch's `facade` folder has it" },
    { cause },
  );
}

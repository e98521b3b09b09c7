/**
 * The wire form in which functions of snap-ins are called on a machine of their author, here for packages of the branch: `POST
 * /handle/sync` with one event, `POST /handle/async` with an array. The package is the one that `?package=` or the event's
 * `context.snap_in_id` names, else the only one that is active on the branch. Events are delivered as they come; nothing is added.
 */
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { InvocationRequest } from "../../engine/invocation.ts";
import { parseSnapInName } from "../../snap-ins/ids.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply, type Route } from "../door.ts";
import { isJsonObject } from "../../snap-ins/json-object.ts";
import { readJson, type JsonObject } from "../request-body.ts";

type ErrorType = "FUNCTION_NOT_FOUND" | "FUNCTION_NAME_NOT_PROVIDED" | "INVALID_REQUEST";

interface Refusal {
  readonly err_type: ErrorType;
  readonly err_msg: string;
}

/** One event; answers `{function_result}` or `{error}`. */
export const handleSync: Route = {
  method: "POST",
  path: "/handle/sync",
  access: ["invoke"],
  handle: async (context, request): Promise<Reply> => {
    const call = await callOf(context, request, readJson(request));
    if ("refusal" in call) return refused(call.refusal);
    let outcome;
    try {
      outcome = await context.engine.invoke(call.invocation, { signal: request.signal() });
    } catch (error) {
      if (isNoFunction(error)) return refused({ err_type: "FUNCTION_NOT_FOUND", err_msg: error.message });
      throw error;
    }
    if (outcome.status === "succeeded") return jsonReply({ function_result: JSON.parse(outcome.valueText) });
    const { error } = outcome;
    if (error.spec.fault === "platform") throw error;
    if (isNoFunction(error)) return refused({ err_type: "FUNCTION_NOT_FOUND", err_msg: error.message });
    return jsonReply({ error: { error: thrownBy(error) } });
  },
};

/** An array of events; answers 200 with nothing when all of them are stored. */
export const handleAsync: Route = {
  method: "POST",
  path: "/handle/async",
  access: ["invoke"],
  handle: async (context, request): Promise<Reply> => {
    const events = readJson(request);
    const max = limit("handleEventsMax");
    if (!Array.isArray(events) || events.length === 0 || events.length > max)
      return refused({ err_type: "INVALID_REQUEST", err_msg: `The body is not an array of 1 to ${max} events.` });
    const calls = await Promise.all(events.map((event) => callOf(context, request, event)));
    for (const call of calls) if ("refusal" in call) return refused(call.refusal);
    await context.engine.enqueueAll(calls.flatMap((call) => ("invocation" in call ? [call.invocation] : [])));
    return { kind: "text", status: 200, contentType: "text/plain; charset=utf-8", body: "" };
  },
};

async function callOf(
  context: DoorContext,
  { caller, query }: DoorRequest,
  event: unknown,
): Promise<{ readonly invocation: InvocationRequest } | { readonly refusal: Refusal }> {
  if (!isJsonObject(event)) return { refusal: { err_type: "INVALID_REQUEST", err_msg: "An event is a JSON object." } };
  const metadata = objectAt(event, "execution_metadata");
  const name = metadata["function_name"];
  if (typeof name !== "string" || name === "")
    return { refusal: { err_type: "FUNCTION_NAME_NOT_PROVIDED", err_msg: "The event has no `execution_metadata.function_name`." } };
  const packageName = query.get("package") ?? (await packageOf(context, caller.scope, objectAt(event, "context")));
  if (packageName === undefined)
    return {
      refusal: { err_type: "INVALID_REQUEST", err_msg: "No package is named, and not exactly one is active; add `?package=<name>`." },
    };
  const eventType = metadata["event_type"];
  return {
    invocation: {
      ...caller.scope,
      actor: caller.actor,
      source: "snapIn",
      path: `@${packageName}/${name}`,
      internalAllowed: true,
      argsText: JSON.stringify(event),
      subject: { eventType: typeof eventType === "string" ? eventType.slice(0, 200) : "", sourceId: "", isGiven: true },
      priority: "interactive",
    },
  };
}

async function packageOf(context: DoorContext, scope: DoorRequest["caller"]["scope"], about: JsonObject): Promise<string | undefined> {
  const named = typeof about["snap_in_id"] === "string" ? parseSnapInName(about["snap_in_id"]) : undefined;
  if (named !== undefined) return (await context.snapIns.get(scope, named.id))?.package;
  const active = (await context.snapIns.list(scope)).filter(({ state }) => state === "active");
  return active.length === 1 ? active[0]?.package : undefined;
}

function objectAt(event: JsonObject, name: string): JsonObject {
  const value = event[name];
  return isJsonObject(value) ? value : {};
}

/** What was thrown: its text, and what it carried. */
function thrownBy(error: PlinthError): unknown {
  const data: unknown = error.dataText === undefined ? undefined : JSON.parse(error.dataText);
  return { code: error.code, message: error.message.replace(/^Uncaught (?:\w*Error: )?/, ""), ...(data === undefined ? {} : { data }) };
}

function refused(error: Refusal): Reply {
  return jsonReply({ error }, error.err_type === "INVALID_REQUEST" ? 400 : 200);
}

function isNoFunction(error: unknown): error is PlinthError {
  return error instanceof PlinthError && (error.code === "HandlerNotFound" || error.code === "FunctionNotFound");
}

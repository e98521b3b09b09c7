/** Calls that functions of the branch answer: `timeline-entries.create` is `facade/timelineEntries:create`. */
import type { Actor } from "../../engine/invocation.ts";
import { organisationName, snapInName } from "../../snap-ins/ids.ts";
import type { Caller, DoorContext } from "../door.ts";
import { argumentsText } from "../fields.ts";
import type { JsonObject } from "../request-body.ts";
import { grantsOf } from "./access.ts";

/** The function of `<object>.<verb>`: parts joined in camel case, so that each call is an ordinary name. */
export function functionPath(object: string, verb: string): string {
  return `facade/${camel(object)}:${camel(verb)}`;
}

/**
 * Calls a function with `{args, caller}` and returns the JSON text of its result. It may be internal: the scopes were checked, and it
 * gets those that bound the caller in `caller.scopes` (null = not bounded).
 */
export async function callFunction(
  context: DoorContext,
  call: { readonly caller: Caller; readonly path: string; readonly args: JsonObject; readonly signal: () => AbortSignal },
): Promise<string> {
  const { caller, path, args } = call;
  const outcome = await context.engine.invoke(
    {
      ...caller.scope,
      actor: caller.actor,
      source: "snapIn",
      path,
      internalAllowed: true,
      argsText: argumentsText({ args, caller: callerOf(caller) }),
      priority: "interactive",
    },
    { signal: call.signal() },
  );
  if (outcome.status === "failed") throw outcome.error;
  return outcome.valueText;
}

/** Who calls, as functions see it. */
export function callerOf({ scope, actor }: Caller) {
  const { service } = actor;
  return {
    organisation: organisationName(scope),
    /** The user who acts; null when the service account, or an application with its key, does. */
    user: service === undefined ? userOfKey(actor) : service.user,
    serviceAccount: service?.account ?? null,
    snapIn: service === undefined ? null : snapInName(scope, service.snapInId),
    scopes: grantsOf(actor),
  };
}

function userOfKey({ identity }: Actor): string | null {
  const subject = identity?.["subject"];
  return typeof subject === "string" ? subject : null;
}

function camel(text: string): string {
  return text.replace(/[-.]+([a-z0-9]?)/g, (_match, next: string) => next.toUpperCase());
}

/** `/v1/commands`: what users can type, and the typing of it. */
import { plinthError } from "@plinth/core/errors.ts";
import { COMMANDS, listCommands as commandsOf } from "../../modalities/commands.ts";
import { runModality } from "../../modalities/modality-context.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorRequest, type Reply, type Route } from "../door.ts";
import { optionalTextField, textField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { outcomeText } from "./outcome-json.ts";

export const listCommands: Route = {
  method: "GET",
  path: "/v1/commands",
  access: ["read", "invoke"],
  handle: async (context, { caller }): Promise<Reply> => jsonReply({ commands: await commandsOf(context, caller.scope) }),
};

/** `{object, parameters?, user, surface?}`: runs at once and answers with the outcome. */
export const runCommand: Route = {
  method: "POST",
  path: "/v1/commands/:namespace/:name",
  access: ["invoke"],
  handle: async (context, request): Promise<Reply> => {
    const { caller, params } = request;
    const body = readJsonObject(request);
    const surface = optionalTextField(body, "surface");
    const trigger = {
      namespace: params["namespace"] ?? "",
      name: params["name"] ?? "",
      object: textField(body, "object"),
      parameters: optionalTextField(body, "parameters") ?? "",
      ...(surface === undefined ? {} : { surface }),
      user: actingUser(body),
      actor: caller.actor,
      ...idempotencyOf(request, body),
    };
    const outcome = await runModality(context, COMMANDS, { scope: caller.scope, trigger, options: { signal: request.signal() } });
    return jsonTextReply(outcomeText(outcome, { redact: context.redactErrors && !hasScope(caller.actor, "admin") }));
  },
};

/** The user who acts, as the application that holds the key says. */
export function actingUser(body: JsonObject): string {
  const user = textField(body, "user");
  // Names of users reach handlers, logs of them and names of tokens.
  if (!/^[\x21-\x7e]{1,300}$/.test(user)) throw plinthError("BadRequest", { detail: "`user` must be 1 to 300 visible ASCII characters." });
  return user;
}

export function idempotencyOf(request: DoorRequest, body: JsonObject): { readonly idempotencyKey?: string } {
  const header = request.headers["idempotency-key"];
  const key = (Array.isArray(header) ? header[0] : header) ?? optionalTextField(body, "idempotencyKey");
  if (key === undefined) return {};
  if (!/^[\x20-\x7e]{1,128}$/.test(key))
    throw plinthError("BadRequest", { detail: "The idempotency key must be 1 to 128 visible characters." });
  return { idempotencyKey: key };
}

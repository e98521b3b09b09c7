/** `/v1/commands`: what users can type, and the typing of it. */
import { plinthError } from "@plinth/core/errors.ts";
import { listFlowCommands, runFlowCommand } from "../../flows/triggers/command.ts";
import { COMMANDS, listCommands as commandsOf } from "../../modalities/commands.ts";
import { runModality } from "../../modalities/modality-context.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type DoorRequest, type Reply } from "../door.ts";
import { optionalTextField, textField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { outcomeText } from "./outcome-json.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { closed, list, named, open, orNull, text } from "../openapi/schema.ts";
import { OUTCOME } from "../openapi/schemas.ts";
import { RUN_ERRORS } from "../openapi/general-errors.ts";

export const ACTING_USER = text("The user who acts: 1 to 300 visible ASCII characters.", { minLength: 1, maxLength: 300 });
export const IDEMPOTENCY_HEADER = { "Idempotency-Key": text("A call with a key that was used before answers with the first outcome.") };
export const IDEMPOTENCY_PROPERTY = { "idempotencyKey?": orNull(text("In place of the header.")) };

export const listCommands: DocumentedRoute = {
  method: "GET",
  path: "/v1/commands",
  access: ["read", "invoke"],
  doc: {
    summary: "List what users can type",
    tag: "Commands",
    answers: {
      200: json(
        closed({
          commands: list(
            named(
              "Command",
              closed({
                namespace: text(),
                name: text(),
                description: text(),
                usageHint: text(),
                surfaces: list(closed({ surface: text(), objectTypes: list(text()) })),
                package: orNull(text()),
                snapIn: orNull(text("Id of the snap-in.")),
                flow: orNull(text("The flow that it starts.")),
              }),
            ),
          ),
        }),
      ),
    },
  },
  handle: async (context, { caller }): Promise<Reply> => {
    const [ofPackages, ofFlows] = await Promise.all([commandsOf(context, caller.scope), listFlowCommands(context.flows, caller.scope)]);
    return jsonReply({ commands: [...ofPackages, ...ofFlows] });
  },
};

/** `{object, parameters?, user, surface?}`: runs at once and answers with the outcome. */
export const runCommand: DocumentedRoute = {
  method: "POST",
  path: "/v1/commands/:namespace/:name",
  access: ["invoke"],
  doc: {
    summary: "Run a command",
    tag: "Commands",
    headers: IDEMPOTENCY_HEADER,
    body: jsonBody(
      open({
        object: text("Id of the object at which it was typed."),
        "parameters?": orNull(text("What was typed behind the command.")),
        user: ACTING_USER,
        "surface?": orNull(text()),
        ...IDEMPOTENCY_PROPERTY,
      }),
    ),
    answers: { 200: json(OUTCOME) },
    errors: ["NotFound", "WrongState", "FlowRunRefused", "FlowFiltered", "FlowFilterFailed", ...RUN_ERRORS],
  },
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
    const { scope } = caller;
    const outcome =
      (await runFlowCommand(context.flows, scope, trigger)) ??
      (await runModality(context, COMMANDS, { scope, trigger, options: { signal: request.signal() } }));
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

/** `/v1/snap-kit`: what users do with elements that packages show, and what is shown first. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { enqueueModalities, runModality } from "../../modalities/modality-context.ts";
import { actionNameOf, INITIALIZERS, SNAP_KIT_ACTIONS, staticBody, type ElementAction } from "../../modalities/snap-kit.ts";
import { parseSnapInName } from "../../snap-ins/ids.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type Reply } from "../door.ts";
import { arrayField, choiceField, objectField, optionalTextField, textField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { actingUser, idempotencyOf } from "./commands.ts";
import { outcomeText } from "./outcome-json.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { SNAP_KIT_DOCS } from "./snap-kit-doc.ts";

/**
 * `{snapIn, action, element: {id, type, value?, block_id?}, body?, context?, user}` runs at once and answers with the outcome;
 * `elements` in place of `element` stores up to five, and answers 202 with the ids of their invocations.
 */
export const runSnapKitAction: DocumentedRoute = {
  method: "POST",
  path: "/v1/snap-kit/actions",
  access: ["invoke"],
  doc: SNAP_KIT_DOCS.runSnapKitAction,
  handle: async (context, request): Promise<Reply> => {
    const { caller } = request;
    const body = readJsonObject(request);
    const common = {
      snapIn: snapInIdOf(textField(body, "snapIn")),
      action: textField(body, "action"),
      ...(body["body"] === undefined ? {} : { body: objectField(body, "body") }),
      ...(body["context"] === undefined ? {} : { context: objectField(body, "context") }),
      user: actingUser(body),
      actor: caller.actor,
    };
    if (body["elements"] !== undefined) {
      const triggers = deferredElements(arrayField(body, "elements")).map((element) => ({ ...common, element }));
      const stored = await enqueueModalities(context, SNAP_KIT_ACTIONS, { scope: caller.scope, triggers });
      return jsonReply({ invocations: stored.map(({ id }) => id) }, 202);
    }
    const trigger = { ...common, element: readElement(objectField(body, "element")), ...idempotencyOf(request, body) };
    const outcome = await runModality(context, SNAP_KIT_ACTIONS, { scope: caller.scope, trigger, options: { signal: request.signal() } });
    return jsonTextReply(outcomeText(outcome, { redact: context.redactErrors && !hasScope(caller.actor, "admin") }));
  },
};

/** `{snapIn, component | configuration, object?, user}` answers `{snap_kit_body, snap_kit_action_name}`. */
export const initializeSnapKit: DocumentedRoute = {
  method: "POST",
  path: "/v1/snap-kit/initialize",
  access: ["invoke"],
  doc: SNAP_KIT_DOCS.initializeSnapKit,
  handle: async (context, request): Promise<Reply> => {
    const { caller } = request;
    const body = readJsonObject(request);
    const component = optionalTextField(body, "component");
    const configuration = choiceField(body, "configuration", ["organization", "user"]);
    const object = optionalTextField(body, "object");
    if ((component === undefined) === (configuration === undefined))
      throw plinthError("BadRequest", { detail: "Name either a `component` or a `configuration` (organization or user)." });
    const trigger = {
      snapIn: snapInIdOf(textField(body, "snapIn")),
      ...(component === undefined ? {} : { component }),
      ...(configuration === undefined ? {} : { configuration }),
      ...(object === undefined ? {} : { object }),
      user: actingUser(body),
      actor: caller.actor,
    };
    const fixed = await staticBody(context, caller.scope, trigger);
    if (fixed !== undefined) return jsonReply(fixed);
    const shown = await runModality(context, INITIALIZERS, { scope: caller.scope, trigger, options: { signal: request.signal() } });
    return jsonReply({ ...shown, snap_kit_action_name: await actionNameOf(context, caller.scope, trigger) });
  },
};

/** The elements of a deferred request; each is checked before any is stored. */
export function deferredElements(list: readonly unknown[]): readonly ElementAction[] {
  const max = limit("snapKitActionsMax");
  if (list.length === 0 || list.length > max)
    throw plinthError("BadRequest", { detail: `A deferred request brings 1 to ${max} actions, not ${list.length}.` });
  return list.map((element) => {
    if (typeof element !== "object" || element === null || Array.isArray(element))
      throw plinthError("BadRequest", { detail: "Each action must be an object with `id`, `type` and `value`." });
    return readElement(element as JsonObject);
  });
}

function readElement(element: JsonObject): ElementAction {
  const blockId = optionalTextField(element, "block_id");
  const timestamp = element["timestamp"];
  return {
    id: textField(element["id"] === undefined ? { id: element["action_id"] } : element, "id"),
    type: textField(element, "type"),
    ...(element["value"] === undefined ? {} : { value: element["value"] }),
    ...(blockId === undefined ? {} : { blockId }),
    ...(typeof timestamp === "number" && Number.isInteger(timestamp) ? { timestampS: timestamp } : {}),
  };
}

function snapInIdOf(text: string): string {
  const found = parseSnapInName(text);
  if (found === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
  return found.id;
}

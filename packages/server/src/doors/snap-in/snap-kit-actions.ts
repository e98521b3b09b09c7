/** `snap-kit-action.execute.deferred`: stores what a user did with up to five elements. */
import { plinthError } from "@plinth/core/errors.ts";
import { enqueueModalities } from "../../modalities/modality-context.ts";
import { SNAP_KIT_ACTIONS } from "../../modalities/snap-kit.ts";
import { parseSnapInName } from "../../snap-ins/ids.ts";
import { arrayField, objectField, textField } from "../fields.ts";
import { deferredElements } from "../native/snap-kit.ts";
import { callerOf } from "./branch-functions.ts";
import type { FacadeCall } from "./call.ts";

/** `{id, actions}` → `{}`; `id` is that of the action, as functions get it in `action_id`. */
export const executeDeferred: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const named = parseSnapInName(textField(args, "id"));
    const own = caller.actor.service?.snapInId;
    if (named?.part?.kind !== "snap_kit_action" || (own !== undefined && named.id !== own))
      throw plinthError("NotFound", { what: "snap-kit action with this id" });
    const elements = deferredElements(arrayField(args, "actions"));
    const { user, serviceAccount } = callerOf(caller);
    const common = {
      snapIn: named.id,
      action: named.part.name,
      ...(args["body"] === undefined ? {} : { body: objectField(args, "body") }),
      ...(args["context"] === undefined ? {} : { context: objectField(args, "context") }),
      user: user ?? serviceAccount ?? caller.actor.keyId ?? "unknown",
      actor: caller.actor,
    };
    await enqueueModalities(context, SNAP_KIT_ACTIONS, {
      scope: caller.scope,
      triggers: elements.map((element) => ({ ...common, element })),
    });
    return {};
  },
};

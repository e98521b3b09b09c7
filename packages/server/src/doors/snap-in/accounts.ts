/** Who the holder of a token is, and tokens that stand for users. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { DoorContext } from "../door.ts";
import { optionalNumberField, optionalTextField, textField } from "../fields.ts";
import { callFunction } from "./branch-functions.ts";
import type { FacadeCall, FacadeRequest } from "./call.ts";

const USER = /^[\x21-\x7e]{1,300}$/;

/** `{id?}` → `{service_account}`: the caller's own. */
export const getServiceAccount: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const own = caller.actor.service?.account;
    const id = optionalTextField(args, "id") ?? own;
    const account =
      id === undefined || (own !== undefined && own !== id) ? undefined : await context.snapIns.serviceAccount(caller.scope, id);
    if (account === undefined) throw plinthError("NotFound", { what: "service account with this id" });
    return {
      service_account: {
        id: account.id,
        display_id: account.id,
        display_name: account.displayName,
        full_name: account.displayName,
        state: "active",
      },
    };
  },
};

/** `{}` → `{dev_user}`: the user who acts, or the account. What is known about users is the branch's to say, where it has a function for it. */
export const selfDevUser: FacadeCall = {
  scope: null,
  handle: async (context, request) => (await ofBranch(context, request)) ?? { dev_user: await selfOf(context, request) },
};

/**
 * `{grant_type, requested_token_type, act_as, expires_in?}` → `{access_token, token_type, expires_in}`: a token that stands for a user, with
 * the scopes of the manifest's `impersonate` section.
 */
export const createAuthToken: FacadeCall = {
  scope: null,
  handle: async (context, { caller, args }) => {
    const { service } = caller.actor;
    if (service === undefined || service.user !== null) throw plinthError("Forbidden", { scope: "token of the service account" });
    const wanted = textField(args, "requested_token_type");
    if (!/[:-]act-as$/.test(wanted))
      throw plinthError("BadRequest", { detail: "`requested_token_type` must be the one of tokens that act as a user." });
    const user = optionalTextField(args, "act_as") ?? optionalTextField(args, "subject") ?? "";
    if (!USER.test(user)) throw plinthError("BadRequest", { detail: "`act_as` must name a user, 1 to 300 visible ASCII characters." });
    const account = await context.snapIns.serviceAccount(caller.scope, service.account);
    if (account === undefined || account.impersonate.length === 0) throw plinthError("Forbidden", { scope: "impersonate" });
    const seconds = optionalNumberField(args, "expires_in", { min: 1, max: Number.MAX_SAFE_INTEGER });
    const lifeMs = Math.min((seconds ?? Number.POSITIVE_INFINITY) * 1000, limit("serviceTokenMs"));
    const { token, expiresMs } = await context.serviceTokens.create(caller.scope, service.account, { user, lifeMs });
    const expiresIn = Math.ceil((expiresMs - context.runtime.nowMs()) / 1000);
    return { access_token: token, token_type: "bearer", expires_in: expiresIn, scope: "", client_id: service.account };
  },
};

async function ofBranch(context: DoorContext, { caller, args, signal }: FacadeRequest): Promise<unknown> {
  try {
    return JSON.parse(await callFunction(context, { caller, path: "facade/devUsers:self", args, signal }));
  } catch (error) {
    if (error instanceof PlinthError && error.code === "FunctionNotFound") return undefined;
    throw error;
  }
}

async function selfOf({ snapIns }: DoorContext, { caller }: FacadeRequest) {
  const { service, keyId, identity } = caller.actor;
  if (service !== undefined && service.user !== null)
    return { id: service.user, display_id: service.user, display_name: service.user, state: "active" };
  if (service !== undefined) {
    const name = (await snapIns.serviceAccount(caller.scope, service.account))?.displayName ?? service.account;
    return { id: service.account, display_id: service.account, display_name: name, full_name: name, state: "active" };
  }
  const subject = identity?.["subject"];
  const id = typeof subject === "string" ? subject : (keyId ?? "");
  return { id, display_id: id, display_name: id, state: "active" };
}

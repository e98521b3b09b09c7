/** `keyrings.*`: what is connected, without its secrets. Those reach functions in their events only. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Keyring } from "../../keyrings/keyrings.ts";
import { optionalTextField, textField } from "../fields.ts";
import type { DoorContext } from "../door.ts";
import type { FacadeCall, FacadeRequest } from "./call.ts";

/** `{id}` → `{keyring}`. */
export const getKeyring: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const id = textField(request.args, "id");
    const found = (await visible(context, request)).find((keyring) => keyring.id === id);
    if (found === undefined) throw plinthError("NotFound", { what: "keyring with this id" });
    return { keyring: shown(found) };
  },
};

/** `{user?}` → `{keyrings}`. */
export const listKeyrings: FacadeCall = {
  scope: null,
  handle: async (context, request) => ({ keyrings: (await visible(context, request)).map(shown) }),
};

/** A token sees the keyrings that its snap-in is bound to or declares for users; keys see those of the branch. */
async function visible(context: DoorContext, { caller, args }: FacadeRequest): Promise<readonly Keyring[]> {
  const { scope, actor } = caller;
  const user = actor.service?.user ?? optionalTextField(args, "user");
  const all = await context.keyrings.list(scope, user === undefined ? undefined : { user });
  if (actor.service === undefined) return all;
  const snapIn = await context.snapIns.get(scope, actor.service.snapInId);
  const version = snapIn === undefined ? undefined : await context.packages.version(scope, snapIn.package, snapIn.version);
  const bound = new Set(Object.values(snapIn?.keyrings ?? {}));
  const declared = new Set((version?.manifest.keyrings.user ?? []).map(({ name }) => name));
  return all.filter(({ name, owner }) => (owner.user === undefined ? bound.has(name) : declared.has(name)));
}

function shown({ id, name, type, kind, owner, state, organization, createdMs, updatedMs, expiresMs }: Keyring) {
  return {
    id,
    name,
    type: { id: type, kind },
    owner: owner.user ?? null,
    state,
    is_expired: state === "expired",
    external_organization: organization,
    expires_at: expiresMs === null ? null : new Date(expiresMs).toISOString(),
    created_date: new Date(createdMs).toISOString(),
    modified_date: new Date(updatedMs).toISOString(),
  };
}

/** `snap-ins.*`: what a snap-in may know and change of itself. A token reaches its own snap-in only, whatever its scopes. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { EVENT_SOURCES } from "../../database/record-tables.ts";
import { objectName, parseSnapInName, snapInName } from "../../snap-ins/ids.ts";
import type { SnapIn } from "../../snap-ins/snap-ins.ts";
import type { Caller, DoorContext } from "../door.ts";
import { choiceField, objectField, optionalTextField } from "../fields.ts";
import type { FacadeCall, FacadeRequest } from "./call.ts";

/** `{id}` → `{snap_in}`. */
export const getSnapIn: FacadeCall = {
  scope: null,
  handle: async (context, request) => ({ snap_in: await shown(context, request.caller, await snapInOf(context, request)) }),
};

/** `{}` → `{snap_ins}`. */
export const listSnapIns: FacadeCall = {
  scope: null,
  handle: async (context, { caller }) => {
    const all = await context.snapIns.list(caller.scope);
    const own = caller.actor.service === undefined ? all : all.filter(({ id }) => id === caller.actor.service?.snapInId);
    return { snap_ins: await Promise.all(own.map((snapIn) => shown(context, caller, snapIn))) };
  },
};

/** `{id, inputs_values?}` → `{snap_in}`: what a handler of the configuration stores. */
export const updateSnapIn: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const snapIn = await withInputs(context, request, await snapInOf(context, request));
    return { snap_in: await shown(context, request.caller, snapIn) };
  },
};

/**
 * `{id, status?, inputs_values?}` → `{snap_in}`. The status of a snap-in is what its activation or deactivation came to, so a status
 * may only agree with it; a hook says `error` with what it returns or throws.
 */
export const systemUpdateSnapIn: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const found = await snapInOf(context, request);
    const status = choiceField(request.args, "status", ["active", "error", "inactive"]);
    const fits: Readonly<Record<string, readonly SnapIn["state"][]>> = {
      active: ["active", "activating"],
      error: ["error", "activating", "deactivating"],
      inactive: ["inactive", "deactivating", "draft"],
    };
    if (status !== undefined && fits[status]?.includes(found.state) !== true)
      throw plinthError("WrongState", { what: "snap-in", state: found.state, wanted: status });
    return { snap_in: await shown(context, request.caller, await withInputs(context, request, found)) };
  },
};

/**
 * `{id, user?}` → `{inputs, event_sources, keyrings, snap_in_version}`: what a user has connected; without one, what the organisation
 * has. Of service accounts only.
 */
export const snapInResources: FacadeCall = {
  scope: null,
  handle: async (context, request) => {
    const { caller, args } = request;
    const { scope, actor } = caller;
    if (actor.service === undefined || actor.service.user !== null)
      throw plinthError("Forbidden", { scope: "token of the service account" });
    const snapIn = await snapInOf(context, request);
    const version = await context.packages.version(scope, snapIn.package, snapIn.version);
    const common = { snap_in_version: { id: objectName(scope, "snap_in_version", snapIn.version), slug: snapIn.package } };
    const user = optionalTextField(args, "user");
    if (user === undefined) return { ...(await ofOrganisation(context, caller, snapIn)), ...common };
    const declared = (version?.manifest.keyrings.user ?? []).map(({ name }) => name);
    const connected = await context.keyrings.list(scope, { user });
    const states = new Map(connected.map(({ name, state }) => [name, state]));
    const sources = await eventSourcesOf(context, caller, { snapInId: snapIn.id, user });
    const names = declared.filter((name) => states.has(name));
    const inputs = await context.snapIns.userInputs(scope, snapIn.id, user);
    if (names.length === 0 && sources.length === 0 && inputs === undefined)
      throw plinthError("NotFound", { what: "configuration of this user" });
    const active = names.filter((name) => states.get(name) === "active");
    const delivered = await context.keyrings.deliver(scope, active, { user });
    const keyrings = names.flatMap((name) => {
      const of = connected.find((keyring) => keyring.name === name);
      if (of === undefined) return [];
      return [[name, { id: of.id, is_expired: of.state === "expired", secret: delivered[name]?.secret ?? "" }] as const];
    });
    return {
      inputs: inputs ?? {},
      event_sources: Object.fromEntries(sources.map(({ name, id }) => [name, id])),
      keyrings: Object.fromEntries(keyrings),
      ...common,
    };
  },
};

async function ofOrganisation(context: DoorContext, caller: Caller, snapIn: SnapIn) {
  const { scope } = caller;
  const sources = await eventSourcesOf(context, caller, { snapInId: snapIn.id, user: null });
  const all = new Map((await context.keyrings.list(scope, {})).map((keyring) => [keyring.name, keyring]));
  const bound = Object.entries(snapIn.keyrings).flatMap(([name, keyring]) => {
    const found = all.get(keyring);
    return found === undefined ? [] : [{ name, found }];
  });
  const active = bound.filter(({ found }) => found.state === "active").map(({ found }) => found.name);
  const delivered = await context.keyrings.deliver(scope, active);
  return {
    inputs: snapIn.inputs,
    event_sources: Object.fromEntries(sources.map(({ name, id }) => [name, id])),
    keyrings: Object.fromEntries(
      bound.map(({ name, found }) => [
        name,
        { id: found.id, is_expired: found.state === "expired", secret: delivered[found.name]?.secret ?? "" },
      ]),
    ),
  };
}

/** The snap-in that `id` names, as far as the caller may see it. */
export async function snapInOf(context: DoorContext, { caller, args }: Pick<FacadeRequest, "caller" | "args">): Promise<SnapIn> {
  const id = parseSnapInName(optionalTextField(args, "id") ?? optionalTextField(args, "snap_in") ?? "")?.id;
  const { service } = caller.actor;
  const found =
    id === undefined || (service !== undefined && service.snapInId !== id) ? undefined : await context.snapIns.get(caller.scope, id);
  if (found === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
  return found;
}

/** Rows of the sources that are enabled: of the organisation, or of one user. */
export async function eventSourcesOf(
  { database }: Pick<DoorContext, "database">,
  { scope }: Pick<Caller, "scope">,
  { snapInId, user }: { readonly snapInId: string; readonly user: string | null },
) {
  const max = limit("eventSourcesPerSnapInMax");
  const rows = await database.read(scope, ({ records }) => records.range(EVENT_SOURCES, { prefix: [snapInId], limit: max }));
  return rows.map(({ value }) => value).filter((row) => row.enabled && row.user === user);
}

async function withInputs(context: DoorContext, { caller, args }: FacadeRequest, snapIn: SnapIn): Promise<SnapIn> {
  if (args["inputs_values"] === undefined || args["inputs_values"] === null) return snapIn;
  return await context.snapIns.configure(caller.scope, snapIn.id, { inputs: objectField(args, "inputs_values") });
}

async function shown(context: DoorContext, { scope }: Caller, snapIn: SnapIn) {
  const version = await context.packages.version(scope, snapIn.package, snapIn.version);
  const manifest = version?.manifest;
  const name = manifest?.name ?? snapIn.package;
  return {
    id: snapInName(scope, snapIn.id),
    display_id: snapIn.id,
    state: snapIn.state,
    status_reason: snapIn.stateReason ?? "",
    service_account:
      snapIn.serviceAccountId === null
        ? null
        : { id: snapIn.serviceAccountId, display_name: manifest?.serviceAccount?.displayName ?? name },
    inputs_values: snapIn.inputs,
    event_sources: snapIn.eventSources.map(({ id, name: source, type, triggerUrl }) => ({
      id,
      name: source,
      type,
      trigger_url: triggerUrl,
    })),
    tags: snapIn.tags,
    imports: (manifest?.imports ?? []).map(({ slug, displayName }) => ({ name: slug, slug, display_name: displayName })),
    snap_in_version: {
      id: objectName(scope, "snap_in_version", snapIn.version),
      slug: snapIn.package,
      name,
      description: manifest?.description ?? "",
      snap_in_package: { id: objectName(scope, "snap_in_package", snapIn.package), slug: snapIn.package },
    },
    created_date: new Date(snapIn.createdMs).toISOString(),
    modified_date: new Date(snapIn.updatedMs).toISOString(),
  };
}

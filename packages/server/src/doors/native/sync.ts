/** `/v1/sync`: units of data that packages keep in step with other systems, and their runs. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type DoorRequest, type Reply } from "../door.ts";
import { choiceField, objectField, optionalNumberField, optionalTextField, textField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { SYNC_DOCS } from "./sync-doc.ts";

const MODES = { initial: "INITIAL", incremental: "INCREMENTAL", loading: "LOADING" } as const;
const WAIT_MS = 25_000;

export const listSyncImports: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/imports",
  access: ["read", "invoke"],
  doc: SYNC_DOCS.listSyncImports,
  handle: async (context, { caller }) => jsonReply({ imports: await context.sync.imports(caller.scope) }),
};

export const listSyncUnits: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/units",
  access: ["read", "invoke"],
  doc: SYNC_DOCS.listSyncUnits,
  handle: async (context, { caller }) => jsonReply({ units: await context.sync.listUnits(caller.scope) }),
};

/** `{snapIn, import, keyring, external?: {id, name?}, objects?}` */
export const createSyncUnit: DocumentedRoute = {
  method: "POST",
  path: "/v1/sync/units",
  access: ["admin"],
  doc: SYNC_DOCS.createSyncUnit,
  handle: async (context, request) => {
    const body = readJsonObject(request);
    const unit = await context.sync.createUnit(request.caller.scope, {
      snapInId: textField(body, "snapIn"),
      importSlug: textField(body, "import"),
      keyring: textField(body, "keyring"),
      ...(body["external"] === undefined ? {} : { external: externalOf(body) }),
      ...(body["objects"] === undefined ? {} : { objects: objectsOf(body) }),
    });
    return jsonReply(unit, 201);
  },
};

export const getSyncUnit: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/units/:unit",
  access: ["read", "invoke"],
  doc: SYNC_DOCS.getSyncUnit,
  handle: async (context, request) => {
    const { scope } = request.caller;
    const id = unitOf(request);
    return jsonReply({ ...(await context.sync.unit(scope, id)), runs: await context.sync.runs(scope, id) });
  },
};

/** `{external: {id, name?}}`: a run that waits for the choice goes on. */
export const chooseSyncUnit: DocumentedRoute = {
  method: "POST",
  path: "/v1/sync/units/:unit/choose",
  access: ["admin"],
  doc: SYNC_DOCS.chooseSyncUnit,
  handle: async (context, request) =>
    jsonReply(await context.sync.chooseExternal(request.caller.scope, unitOf(request), externalOf(readJsonObject(request)))),
};

export const removeSyncUnit: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/sync/units/:unit",
  access: ["admin"],
  doc: SYNC_DOCS.removeSyncUnit,
  handle: async (context, request) => {
    await context.sync.removeUnit(request.caller.scope, unitOf(request));
    return jsonReply({ removed: true });
  },
};

/** `{mode, context?, items? | fromRun?}` answers 202 with the run, which is stored. */
export const startSyncRun: DocumentedRoute = {
  method: "POST",
  path: "/v1/sync/units/:unit/runs",
  access: ["admin"],
  doc: SYNC_DOCS.startSyncRun,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const mode = choiceField(body, "mode", ["initial", "incremental", "loading"]) ?? "initial";
    const load = loadOf(body);
    if (load !== undefined && mode !== "loading")
      throw plinthError("BadRequest", { detail: "Only a run with the mode `loading` gets items." });
    const run = await context.sync.start(request.caller.scope, unitOf(request), {
      mode: MODES[mode],
      actor: request.caller.actor,
      ...(body["context"] === undefined ? {} : { options: objectField(body, "context") }),
      ...(load === undefined ? {} : { load }),
    });
    return jsonReply(run, 202);
  },
};

/** `?wait=true` answers when the run has ended or waits for a choice, or after 25 s. */
export const getSyncRun: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/runs/:run",
  access: ["read", "invoke"],
  doc: SYNC_DOCS.getSyncRun,
  handle: async (context, request) => {
    const { scope } = request.caller;
    const id = runOf(request);
    if (request.query.get("wait") === "true") {
      const late = new AbortController();
      const timer = context.runtime.timer(WAIT_MS, () => late.abort());
      await context.sync.settled(scope, id, AbortSignal.any([late.signal, request.signal()])).finally(() => timer.cancel());
    }
    return jsonReply({ ...(await context.sync.run(scope, id)), calls: await context.sync.calls(scope, id, afterCallOf(request)) });
  },
};

export const cancelSyncRun: DocumentedRoute = {
  method: "POST",
  path: "/v1/sync/runs/:run/cancel",
  access: ["admin"],
  doc: SYNC_DOCS.cancelSyncRun,
  handle: async (context, request) => jsonReply(await context.sync.cancel(request.caller.scope, runOf(request))),
};

export const listSyncArtefacts: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/runs/:run/artefacts",
  access: ["read"],
  doc: SYNC_DOCS.listSyncArtefacts,
  handle: async (context, request) => {
    const artefacts = await context.sync.artefacts(request.caller.scope, runOf(request), request.query.get("after") ?? undefined);
    return jsonReply({ artefacts });
  },
};

/** The bytes of one artefact. */
export const getSyncArtefact: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/runs/:run/artefacts/:id",
  access: ["read"],
  doc: SYNC_DOCS.getSyncArtefact,
  handle: async (context, request): Promise<Reply> => {
    const at = { runId: runOf(request), id: request.params["id"] ?? "" };
    const { row, body } = await context.sync.artefactStore.open(request.caller.scope, at);
    return { kind: "file", body, bytes: row.bytes };
  },
};

/** `?type=&after=&limit=` */
export const listSyncItems: DocumentedRoute = {
  method: "GET",
  path: "/v1/sync/runs/:run/items",
  access: ["read"],
  doc: SYNC_DOCS.listSyncItems,
  handle: async (context, request) => {
    const { query } = request;
    const [type, after, limitText] = [query.get("type"), query.get("after"), query.get("limit")];
    const max = optionalNumberField({ limit: limitText === null ? undefined : Number(limitText) }, "limit", {
      min: 1,
      max: limit("syncItemsShownMax"),
    });
    const page = await context.sync.items(request.caller.scope, runOf(request), {
      ...(type === null ? {} : { type }),
      ...(after === null ? {} : { after }),
      ...(max === undefined ? {} : { limit: max }),
    });
    return jsonReply(page);
  },
};

function externalOf(body: JsonObject) {
  const external = objectField(body, "external");
  const id = textField(external, "id");
  const name = optionalTextField(external, "name") ?? id;
  if (id === "" || id.length > 1024 || name.length > 1024)
    throw plinthError("BadRequest", { detail: "`external.id` has 1 to 1024 characters." });
  return { id, name };
}

function objectsOf(body: JsonObject): JsonObject {
  const objects = objectField(body, "objects");
  const [actual, max] = [Buffer.byteLength(JSON.stringify(objects)), limit("syncOptionsBytesMax")];
  if (actual > max) throw plinthError("RequestTooLarge", { what: "`objects`", actual: `${actual} bytes`, max: `${max} bytes` });
  return objects;
}

function loadOf(body: JsonObject) {
  const fromRun = optionalTextField(body, "fromRun");
  if (body["items"] === undefined) return fromRun === undefined ? undefined : { fromRun };
  const items: Record<string, readonly unknown[]> = {};
  for (const [type, list] of Object.entries(objectField(body, "items"))) {
    if (!Array.isArray(list)) throw plinthError("BadRequest", { detail: `\`items.${type.slice(0, 60)}\` must be an array.` });
    items[type] = list;
  }
  return { items, ...(fromRun === undefined ? {} : { fromRun }) };
}

function afterCallOf({ query }: DoorRequest): number | undefined {
  const text = query.get("afterCall");
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function unitOf({ params }: DoorRequest): string {
  return params["unit"] ?? "";
}

function runOf({ params }: DoorRequest): string {
  return params["run"] ?? "";
}

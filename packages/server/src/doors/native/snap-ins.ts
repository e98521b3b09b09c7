/** `/v1/snap-ins`: packages that are installed on the branch, and what brings them to life. */
import { plinthError } from "@plinth/core/errors.ts";
import type { SnapIn } from "../../snap-ins/snap-ins.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { objectField, optionalBooleanField, optionalTextField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { SNAP_IN_DOCS } from "./snap-ins-doc.ts";

const ONE = "/v1/snap-ins/:id";

export const listSnapIns: DocumentedRoute = {
  method: "GET",
  path: "/v1/snap-ins",
  access: ["read", "deploy"],
  doc: SNAP_IN_DOCS.listSnapIns,
  handle: async (context, { caller }): Promise<Reply> => jsonReply({ snapIns: await context.snapIns.list(caller.scope) }),
};

/** `{package, version?}`: a draft, not active yet. */
export const installSnapIn: DocumentedRoute = {
  method: "POST",
  path: "/v1/snap-ins",
  access: ["deploy"],
  doc: SNAP_IN_DOCS.installSnapIn,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const version = optionalTextField(body, "version");
    const wanted = { package: textField(body, "package"), ...(version === undefined ? {} : { version }) };
    return jsonReply(await context.snapIns.install(request.caller.scope, wanted), 201);
  },
};

export const getSnapIn: DocumentedRoute = {
  method: "GET",
  path: ONE,
  access: ["read", "deploy"],
  doc: SNAP_IN_DOCS.getSnapIn,
  handle: async (context, request): Promise<Reply> => {
    const found = await context.snapIns.get(request.caller.scope, idOf(request));
    if (found === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    return jsonReply(found);
  },
};

/** `{inputs?, keyrings?}` */
export const configureSnapIn: DocumentedRoute = {
  method: "POST",
  path: `${ONE}/configure`,
  access: ["deploy"],
  doc: SNAP_IN_DOCS.configureSnapIn,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const inputs = body["inputs"] === undefined ? undefined : objectField(body, "inputs");
    const keyrings = body["keyrings"] === undefined ? undefined : objectField(body, "keyrings");
    const names = keyrings === undefined ? undefined : Object.entries(keyrings).map(([name, keyring]) => [name, nameOf(keyring)] as const);
    return jsonReply(
      await context.snapIns.configure(request.caller.scope, idOf(request), {
        ...(inputs === undefined ? {} : { inputs }),
        ...(names === undefined ? {} : { keyrings: Object.fromEntries(names) }),
      }),
    );
  },
};

export const activateSnapIn: DocumentedRoute = saga("activate", (context, request, options) =>
  context.snapIns.activate(request.caller.scope, idOf(request), options),
);

/** `{force?}` */
export const deactivateSnapIn: DocumentedRoute = saga("deactivate", (context, request, options) =>
  context.snapIns.deactivate(request.caller.scope, idOf(request), {
    ...options,
    force: optionalBooleanField(readJsonObject(request, { optional: true }), "force") ?? false,
  }),
);

/** `{version}` */
export const upgradeSnapIn: DocumentedRoute = saga("upgrade", (context, request, options) =>
  context.snapIns.upgrade(request.caller.scope, idOf(request), { ...options, version: textField(readJsonObject(request), "version") }),
);

export const removeSnapIn: DocumentedRoute = {
  method: "DELETE",
  path: ONE,
  access: ["deploy"],
  doc: SNAP_IN_DOCS.removeSnapIn,
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    await context.snapIns.remove(request.caller.scope, id, { force: request.query.get("force") === "true" });
    return jsonReply({ id, deleted: true });
  },
};

/** `{user, inputs?}`: opens the event sources that the package has for users, and takes what the user fills in. */
export const openSnapInUser: DocumentedRoute = {
  method: "POST",
  path: `${ONE}/users`,
  access: ["deploy"],
  doc: SNAP_IN_DOCS.openSnapInUser,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const inputs = body["inputs"] === undefined ? {} : objectField(body, "inputs");
    return jsonReply(await context.snapIns.openUser(request.caller.scope, idOf(request), userOf(textField(body, "user")), inputs));
  },
};

/** `?user=` */
export const closeSnapInUser: DocumentedRoute = {
  method: "DELETE",
  path: `${ONE}/users`,
  access: ["deploy"],
  doc: SNAP_IN_DOCS.closeSnapInUser,
  handle: async (context, request): Promise<Reply> => {
    const user = userOf(request.query.get("user") ?? "");
    if (!(await context.snapIns.closeUser(request.caller.scope, idOf(request), user)))
      throw plinthError("NotFound", { what: "user with event sources of this snap-in" });
    return jsonReply({ user, deleted: true });
  },
};

/** A route that starts a saga and answers when it has ended; as a stream it says what happens meanwhile. */
function saga(
  name: "activate" | "deactivate" | "upgrade",
  start: (context: DoorContext, request: DoorRequest, options: { readonly progress?: (text: string) => void }) => Promise<SnapIn>,
): DocumentedRoute {
  return {
    method: "POST",
    path: `${ONE}/${name}`,
    access: ["deploy"],
    doc: SNAP_IN_DOCS[`${name}SnapIn`],
    handle: async (context, request): Promise<Reply> => {
      const form = streamFormOf(request.headers.accept);
      if (form === undefined) return jsonReply(await start(context, request, {}));
      return {
        kind: "stream",
        form,
        write: async (stream) => {
          try {
            const progress = (text: string): void => stream.send("progress", JSON.stringify({ text }));
            stream.send("done", JSON.stringify(await start(context, request, { progress })));
          } catch (error) {
            const registered = registeredError(context, error);
            stream.send("error", JSON.stringify({ code: registered.code, message: registered.message, next: registered.next }));
          }
        },
      };
    },
  };
}

function userOf(text: string): string {
  if (!/^[!-~]{1,200}$/.test(text)) throw plinthError("BadRequest", { detail: "`user` must be 1 to 200 visible ASCII characters." });
  return text;
}

function nameOf(value: unknown): string {
  if (typeof value !== "string" || value === "" || value.length > 128)
    throw plinthError("BadRequest", { detail: "`keyrings` maps names of the manifest to names of keyrings." });
  return value;
}

function idOf(request: DoorRequest): string {
  const id = request.params["id"] ?? "";
  if (!/^snapin_[0-9a-f]{32}$/.test(id)) throw plinthError("NotFound", { what: "snap-in with this id" });
  return id;
}

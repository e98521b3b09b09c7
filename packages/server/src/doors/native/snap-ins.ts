/** `/v1/snap-ins`: packages that are installed on the branch, and what brings them to life. */
import { plinthError } from "@plinth/core/errors.ts";
import type { SnapIn } from "../../snap-ins/snap-ins.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply, type Route } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { objectField, optionalBooleanField, optionalTextField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";

const ONE = "/v1/snap-ins/:id";

export const listSnapIns: Route = {
  method: "GET",
  path: "/v1/snap-ins",
  access: ["read", "deploy"],
  handle: async (context, { caller }): Promise<Reply> => jsonReply({ snapIns: await context.snapIns.list(caller.scope) }),
};

/** `{package, version?}`: a draft, not active yet. */
export const installSnapIn: Route = {
  method: "POST",
  path: "/v1/snap-ins",
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const version = optionalTextField(body, "version");
    const wanted = { package: textField(body, "package"), ...(version === undefined ? {} : { version }) };
    return jsonReply(await context.snapIns.install(request.caller.scope, wanted), 201);
  },
};

export const getSnapIn: Route = {
  method: "GET",
  path: ONE,
  access: ["read", "deploy"],
  handle: async (context, request): Promise<Reply> => {
    const found = await context.snapIns.get(request.caller.scope, idOf(request));
    if (found === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    return jsonReply(found);
  },
};

/** `{inputs?, keyrings?}` */
export const configureSnapIn: Route = {
  method: "POST",
  path: `${ONE}/configure`,
  access: ["deploy"],
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

export const activateSnapIn: Route = saga("activate", (context, request, options) =>
  context.snapIns.activate(request.caller.scope, idOf(request), options),
);

/** `{force?}` */
export const deactivateSnapIn: Route = saga("deactivate", (context, request, options) =>
  context.snapIns.deactivate(request.caller.scope, idOf(request), {
    ...options,
    force: optionalBooleanField(readJsonObject(request, { optional: true }), "force") ?? false,
  }),
);

/** `{version}` */
export const upgradeSnapIn: Route = saga("upgrade", (context, request, options) =>
  context.snapIns.upgrade(request.caller.scope, idOf(request), { ...options, version: textField(readJsonObject(request), "version") }),
);

export const removeSnapIn: Route = {
  method: "DELETE",
  path: ONE,
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> => {
    const id = idOf(request);
    await context.snapIns.remove(request.caller.scope, id, { force: request.query.get("force") === "true" });
    return jsonReply({ id, deleted: true });
  },
};

/** `{user}`: opens the event sources that the package has for users. */
export const openSnapInUser: Route = {
  method: "POST",
  path: `${ONE}/users`,
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> =>
    jsonReply(await context.snapIns.openUser(request.caller.scope, idOf(request), userOf(textField(readJsonObject(request), "user")))),
};

/** `?user=` */
export const closeSnapInUser: Route = {
  method: "DELETE",
  path: `${ONE}/users`,
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> => {
    const user = userOf(request.query.get("user") ?? "");
    if (!(await context.snapIns.closeUser(request.caller.scope, idOf(request), user)))
      throw plinthError("NotFound", { what: "user with event sources of this snap-in" });
    return jsonReply({ user, deleted: true });
  },
};

/** A route that starts a saga and answers when it has ended; as a stream it says what happens meanwhile. */
function saga(
  name: string,
  start: (context: DoorContext, request: DoorRequest, options: { readonly progress?: (text: string) => void }) => Promise<SnapIn>,
): Route {
  return {
    method: "POST",
    path: `${ONE}/${name}`,
    access: ["deploy"],
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

/** `/v1/environment`: the variables that functions of the branch see as `process.env`. */
import { jsonReply, type Reply, type Route } from "../door.ts";
import { objectField, wrongField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";

/** Values are secrets often, so reading them takes the right to deploy, not the right to read. */
export const getEnvironment: Route = {
  method: "GET",
  path: "/v1/environment",
  access: ["deploy"],
  handle: async (context, { caller }): Promise<Reply> => jsonReply(await context.deploys.environment(caller.scope)),
};

/** `{changes: {NAME: "value", OTHER: null}}`; null removes. */
export const setEnvironment: Route = {
  method: "POST",
  path: "/v1/environment",
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> => {
    const changes: Record<string, string | null> = {};
    for (const [name, value] of Object.entries(objectField(readJsonObject(request), "changes"))) {
      if (value !== null && typeof value !== "string") throw wrongField(`changes.${name}`, "a text or null", value);
      changes[name] = value;
    }
    await context.deploys.setEnvironment(request.caller.scope, changes);
    return jsonReply({ changed: Object.keys(changes) });
  },
};

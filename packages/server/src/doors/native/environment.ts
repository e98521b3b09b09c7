/** `/v1/environment`: the variables that functions of the branch see as `process.env`. */
import { jsonReply, type Reply } from "../door.ts";
import { objectField, wrongField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { closed, list, mapOf, open, orNull, text } from "../openapi/schema.ts";

/** Values are secrets often, so reading them takes the right to deploy, not the right to read. */
export const getEnvironment: DocumentedRoute = {
  method: "GET",
  path: "/v1/environment",
  access: ["deploy"],
  doc: {
    summary: "Read the environment",
    description: "The variables that functions of the branch see, with `CONVEX_CLOUD_URL` and `CONVEX_SITE_URL`.",
    tag: "Deploys",
    answers: { 200: json(mapOf(text())) },
  },
  handle: async (context, { caller }): Promise<Reply> => jsonReply(await context.deploys.environment(caller.scope)),
};

/** `{changes: {NAME: "value", OTHER: null}}`; null removes. */
export const setEnvironment: DocumentedRoute = {
  method: "POST",
  path: "/v1/environment",
  access: ["deploy"],
  doc: {
    summary: "Change the environment",
    tag: "Deploys",
    body: jsonBody(open({ changes: mapOf(orNull(text()), "New values by name; null removes.") })),
    answers: { 200: json(closed({ changed: list(text("Name of a variable.")) })) },
    errors: ["LimitExceeded"],
  },
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

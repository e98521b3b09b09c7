/** `POST /v1/deploy`: a new version of the branch; the old one serves until the new one is warm. */
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Reply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { parseDeployRequest } from "../../deploys/parse-deploy-request.ts";
import { readJsonObject } from "../request-body.ts";
import { jsonBody, jsonOrEvents, type DocumentedRoute } from "../openapi/route-doc.ts";
import { closed, flag, list, mapOf, named, number, open, orNull, text } from "../openapi/schema.ts";
import { FUNCTION_KIND, progressEvents, VISIBILITY } from "../openapi/schemas.ts";

const RESULT = named(
  "DeployResult",
  closed({
    version: text("Digest of the script."),
    changed: flag("False when the version served already."),
    functions: list(closed({ path: text(), kind: FUNCTION_KIND, visibility: VISIBILITY })),
    indexesAdded: list(text()),
    indexesRemoved: list(text()),
    timings: mapOf(number(), "Milliseconds by step."),
  }),
);

export const deploy: DocumentedRoute = {
  method: "POST",
  path: "/v1/deploy",
  access: ["deploy"],
  bodyBytesMax: limit("deployBodyBytesMax"),
  doc: {
    summary: "Deploy functions",
    description: "Checks and activates a version; the old one serves until the new one is warm.",
    tag: "Deploys",
    body: jsonBody(
      open({
        script: text("The script of the version."),
        "sourceMap?": orNull(text("Source map v3 of the script.")),
        "note?": orNull(text("For the ledger.")),
        "dryRun?": orNull(flag("Checks everything and changes nothing.")),
      }),
    ),
    answers: { 200: jsonOrEvents(RESULT, progressEvents(RESULT)) },
    errors: ["InvalidPackage", "SchemaMismatch", "LimitExceeded"],
  },
  handle: async (context, request): Promise<Reply> => {
    const { scope, actor } = request.caller;
    const wanted = parseDeployRequest(readJsonObject(request));
    const by = actor.keyId ?? "admin";
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) return jsonReply(await context.deploys.deploy(scope, wanted, { by }));
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        try {
          const result = await context.deploys.deploy(scope, wanted, {
            by,
            progress: (text) => stream.send("progress", JSON.stringify({ text })),
          });
          stream.send("done", JSON.stringify(result));
        } catch (error) {
          const registered = registeredError(context, error);
          stream.send("error", JSON.stringify({ code: registered.code, message: registered.message, next: registered.next }));
        }
      },
    };
  },
};

/** `POST /v1/deploy`: a new version of the branch; the old one serves until the new one is warm. */
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Reply, type Route } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { parseDeployRequest } from "../../deploys/parse-deploy-request.ts";
import { readJsonObject } from "../request-body.ts";

export const deploy: Route = {
  method: "POST",
  path: "/v1/deploy",
  access: ["deploy"],
  bodyBytesMax: limit("deployBodyBytesMax"),
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

/** Puts HTTP actions on a server: everything on their own origin, `/http/*` on the API's. */
import { limit } from "@plinth/core/limits.ts";
import { ANONYMOUS } from "../body-budget.ts";
import type { DoorContext } from "../door.ts";
import { checkHead, type HttpServer } from "../http-server.ts";
import type { Origin } from "./response-headers.ts";
import { runHttpAction } from "./run-http-action.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] as const;

export function serveHttpActions(server: HttpServer, context: DoorContext, origin: Origin): void {
  const root = origin === "api" ? "/http" : "";
  server.route({
    method: [...METHODS],
    url: `${root}/*`,
    bodyLimit: limit("httpBodyBytesMax"),
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      checkHead(request.raw);
      context.bodies.take(request.raw, reply.raw, { bodyBytesMax: limit("httpBodyBytesMax"), owner: ANONYMOUS });
    },
    handler: (request, reply) => runHttpAction(context, { request, reply, origin, path: request.url.slice(root.length) }),
  });
}

/**
 * The same service on the API's port, by the protocol of Connect: `POST /plinth.v1.FunctionService/<method>` with JSON (or protobuf)
 * in and out, and gRPC-Web. gRPC itself needs HTTP/2 and has its own port.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { DoorContext } from "../door.ts";
import { errorReply } from "../error-reply.ts";
import { checkHead, pathTenantOf, type HttpServer } from "../http-server.ts";
import type { NodeHandler } from "./node-handler.ts";

const SERVICE = "/plinth.v1.FunctionService";

export function serveFunctionJson(server: HttpServer, context: DoorContext): void {
  let handler: Promise<NodeHandler> | undefined;
  void server.register((inner, _options, done) => {
    // The message is read by the handler, which knows its limits.
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
    inner.route({
      method: ["GET", "POST"],
      url: `${SERVICE}/:method`,
      exposeHeadRoute: false,
      onRequest: (request, _reply, next) => {
        checkHead(request.raw);
        next();
      },
      handler: async (request, reply) => {
        const serve = await (handler ??= makeHandler(context));
        reply.hijack();
        await serve(request.raw, reply.raw, pathTenantOf(request));
        return reply;
      },
    });
    done();
  });
}

/** Loaded when somebody calls: the protocol's code takes a tenth of a second, which hosts without callers save. */
async function makeHandler(context: DoorContext): Promise<NodeHandler> {
  const [{ functionRouter }, { nodeHandler }] = await Promise.all([import("./open-grpc.ts"), import("./node-handler.ts")]);
  return nodeHandler(context, functionRouter(context, { grpc: false }), (request, response) => {
    const { status, contentType, body } = errorReply(plinthError("NotFound", { what: `method ${(request.url ?? "").slice(0, 200)}` }));
    response.statusCode = status;
    response.setHeader("content-type", contentType);
    response.end(body);
  });
}

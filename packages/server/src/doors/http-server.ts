/**
 * An HTTP server with the bounds that hostile clients meet before any route does: sizes and counts of headers,
 * time to send a request, percent-encoding, body size. The only files that know the HTTP library are this one and
 * those that serve a table of routes with it.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { DoorContext, TextReply } from "./door.ts";
import { errorReply, httpLibraryError, registeredError } from "./error-reply.ts";

/** The tenant that the path of a request named, before the prefix was cut off. */
const pathTenants = new WeakMap<IncomingMessage, string>();

export type HttpServer = FastifyInstance;

export function createHttpServer(
  context: Pick<DoorContext, "log" | "runtime" | "answers" | "connections">,
  options: { readonly bodyBytesMax: number; readonly readMsMax?: number },
): HttpServer {
  const { readMsMax = limit("requestReadMsMax") } = options;
  const server = fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    requestTimeout: readMsMax,
    keepAliveTimeout: 72_000,
    // Idle connections are closed when the host stops; busy ones get the time to drain.
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: true,
    onProtoPoisoning: "ignore",
    onConstructorPoisoning: "ignore",
    // Routes read the query themselves, from the part of the URL that was counted.
    routerOptions: { maxParamLength: limit("requestHeaderBytesMax"), querystringParser: () => ({}) },
    http: {
      maxHeaderSize: limit("requestHeaderBytesMax"),
      headersTimeout: readMsMax,
      connectionsCheckingInterval: Math.min(limit("slowRequestsCheckMs"), readMsMax),
    },
    rewriteUrl: cutTenantPrefix,
    frameworkErrors: (error, _request, reply) => {
      sendText(reply, errorReply(httpLibraryError(error, options.bodyBytesMax) ?? registeredError(context, error)));
    },
    clientErrorHandler: (error, socket) => answerBrokenHttp(context, error, socket),
  });
  // Node drops headers beyond its own count without a word; ours is checked in `checkHead`.
  server.server.maxHeadersCount = 0;
  context.connections.watch(server.server, refuseConnection);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.addHook("onSend", (request, reply, payload, done) => {
    const bytes = typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
    try {
      context.answers.hold(reply.raw, { tenant: tenantOf(request), bytes });
      done();
    } catch (error) {
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      done(registeredError(context, error));
    }
  });
  server.setErrorHandler((error, request, reply) => {
    const registered = httpLibraryError(error, request.routeOptions.bodyLimit ?? options.bodyBytesMax) ?? registeredError(context, error);
    sendText(reply, errorReply(registered));
  });
  return server;
}

/** The tenant in `/t/<tenant>/…`, or undefined. */
export function pathTenantOf(request: FastifyRequest): string | undefined {
  return pathTenants.get(request.raw);
}

/** Whose answers are counted together: those of keys, and those of each name that a path has. */
function tenantOf(request: FastifyRequest): string {
  return request.caller?.scope.tenant ?? pathTenantOf(request) ?? "";
}

/** Refuses requests with too many headers or query parameters. */
export function checkHead(request: IncomingMessage): void {
  const headersMax = limit("requestHeadersMax");
  if (request.rawHeaders.length > headersMax * 2) {
    throw plinthError("RequestTooLarge", { what: "header section", actual: `${request.rawHeaders.length / 2} headers`, max: headersMax });
  }
  const url = request.url ?? "";
  const queryStart = url.indexOf("?");
  if (queryStart === -1) return;
  let parameters = 1;
  for (let at = url.indexOf("&", queryStart); at !== -1; at = url.indexOf("&", at + 1)) parameters++;
  const parametersMax = limit("queryParametersMax");
  if (parameters > parametersMax)
    throw plinthError("RequestTooLarge", { what: "query", actual: `${parameters} parameters`, max: parametersMax });
}

export function sendText(reply: FastifyReply, text: TextReply): FastifyReply {
  if (text.headers !== undefined) reply.headers(text.headers);
  return reply.code(text.status).header("content-type", text.contentType).send(text.body);
}

/** Starts to listen; the port that was taken is named in the error. Returns the port. */
export async function listen(server: HttpServer, at: { readonly address: string; readonly port: number }): Promise<number> {
  try {
    await server.listen({ host: at.address, port: at.port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") throw plinthError("PortTaken", { port: at.port, address: at.address }, { cause: error });
    if (code === "EACCES")
      throw plinthError("BadConfiguration", { detail: `this user may not listen on port ${at.port}` }, { cause: error });
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
      throw plinthError("BadConfiguration", { detail: `${at.address} is not an address of this machine` }, { cause: error });
    }
    throw error;
  }
  const bound = server.server.address();
  return typeof bound === "object" && bound !== null ? bound.port : at.port;
}

function cutTenantPrefix(request: IncomingMessage): string {
  const url = request.url ?? "/";
  if (!url.startsWith("/t/")) return url;
  const end = /[/?]/.exec(url.slice(3));
  const tenant = end === null ? url.slice(3) : url.slice(3, 3 + end.index);
  pathTenants.set(request, tenant);
  const rest = end === null ? "" : url.slice(3 + end.index);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Answers what is not even a request, and closes: also when the client does not close its own side, or sends on. */
function answerBrokenHttp({ runtime }: Pick<DoorContext, "runtime">, error: Error, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawReply(httpLibraryError(error, 0) ?? plinthError("BadRequest", { detail: "This is not valid HTTP." })));
  const cut = runtime.timer(limit("brokenRequestMs"), () => socket.destroy());
  socket.once("close", () => cut.cancel());
}

function refuseConnection(socket: Socket): void {
  const error = plinthError("TooManyConcurrentRequests", { detail: "this address has as many connections as it may" });
  socket.end(rawReply(error), () => socket.destroy());
}

function rawReply(error: PlinthError): string {
  const { status, headers, body } = errorReply(error);
  const lines = Object.entries({ ...headers, connection: "close", "content-type": "application/json" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Serves a table of routes: authentication, reading, the route, the answer. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { authenticate } from "./authenticate.ts";
import { bodyOwner } from "./body-budget.ts";
import { allowOrigin, answerPreflight } from "./cross-origin.ts";
import type { Caller, DoorContext, DoorRequest, Reply, Route } from "./door.ts";
import { errorReply, registeredError } from "./error-reply.ts";
import { sendStream } from "./event-stream.ts";
import { checkHead, pathTenantOf, sendText, type HttpServer } from "./http-server.ts";
import { branchHeaders } from "./request-branch.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by `serveRoutes` before the body is read. */
    caller: Caller | null;
  }
}

export function serveRoutes(server: HttpServer, context: DoorContext, routes: readonly Route[]): void {
  server.decorateRequest("caller", null);
  // Before the body, as everywhere: what asks for nothing that is here must not make the host read megabytes.
  server.addHook("onRequest", (request, reply, done) => {
    if (request.is404)
      sendText(reply, errorReply(plinthError("NotFound", { what: `endpoint ${request.method} ${request.url.slice(0, 200)}` })));
    else done();
  });
  for (const route of routes) {
    if (route.streamsBody === true) addStreamingRoute(server, context, route);
    else addRoute(server, context, route);
  }
  const crossOriginPaths = new Set(routes.filter((route) => route.crossOrigin === true).map((route) => route.path));
  for (const path of crossOriginPaths) addPreflight(server, path);
  const methods = methodsByPath(routes);
  for (const [path, allowed] of methods) addOtherMethods(server, { path, allowed, preflight: crossOriginPaths.has(path) });
}

function addRoute(server: HttpServer, context: DoorContext, route: Route): void {
  const bodyLimit = route.bodyBytesMax ?? limit("requestBodyBytesMax");
  server.route({
    method: route.method,
    url: route.path,
    bodyLimit,
    // Before the body: who may not call must not make the host read megabytes.
    onRequest: async (request, reply) => {
      if (route.crossOrigin === true) allowOrigin(request, reply);
      checkHead(request.raw);
      request.caller = await authenticate(context, {
        headers: request.headers,
        url: request.url,
        pathTenant: pathTenantOf(request),
        access: route.access,
        branched: route.branchless !== true,
        serviceTokens: route.serviceTokens === true,
      });
      if (route.branchless !== true && route.access !== "open") context.usedBranches.note(request.caller.scope);
      reply.headers(branchHeaders(request.caller.scope.branch));
      context.bodies.take(request.raw, reply.raw, {
        bodyBytesMax: route.streamsBody === true ? limit("streamedBodyBytes") : bodyLimit,
        owner: bodyOwner(request.caller),
      });
    },
    handler: async (request, reply) => {
      const made = doorRequest(request, reply);
      await context.bodyTurns.turn(made.caller.scope.tenant, made.bodyBytes?.length ?? 0);
      const answer = await route.handle(context, made);
      return await send(context, { request, reply, answer });
    },
  });
}

/** A route of its own encapsulation, in which bodies of any type are handed on unread. */
function addStreamingRoute(server: HttpServer, context: DoorContext, route: Route): void {
  void server.register((inner, _options, done) => {
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
    addRoute(inner, context, route);
    done();
  });
}

function doorRequest(request: FastifyRequest, reply: FastifyReply): DoorRequest {
  const caller = request.caller;
  if (caller === null) throw plinthError("Unauthenticated", {});
  const body: unknown = request.body;
  return {
    caller,
    params: request.params as Readonly<Record<string, string>>,
    headers: request.headers,
    rawHeaders: request.raw.rawHeaders,
    bodyBytes: Buffer.isBuffer(body) ? body : undefined,
    body: body instanceof Readable ? body : undefined,
    get query() {
      return new URLSearchParams(queryOf(request.url));
    },
    get queryText() {
      return queryOf(request.url);
    },
    signal: () => {
      const gone = new AbortController();
      reply.raw.once("close", () => {
        if (!reply.raw.writableFinished) gone.abort();
      });
      return gone.signal;
    },
  };
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  return start === -1 ? "" : url.slice(start + 1);
}

async function send(
  context: DoorContext,
  { request, reply, answer }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly answer: Reply },
) {
  if (answer.kind === "text") return sendText(reply, answer);
  if (answer.kind === "file") {
    const headers = { "content-length": answer.bytes, "content-disposition": "attachment", "x-content-type-options": "nosniff" };
    return reply.headers(headers).type("application/octet-stream").send(answer.body);
  }
  const caller = request.caller;
  if (caller === null) throw plinthError("Unauthenticated", {});
  const place = context.streams.open(caller);
  reply.hijack();
  try {
    await sendStream(context, { reply, answer, place: { tenant: caller.scope.tenant, signal: place.signal, abort: () => place.abort() } });
  } catch (error) {
    // The head is sent; what is left is to say so and to end.
    registeredError(context, error);
    reply.raw.destroy();
  } finally {
    place.close();
  }
  return reply;
}

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const route of routes) methods.set(route.path, [...(methods.get(route.path) ?? []), route.method]);
  return methods;
}

function addPreflight(server: HttpServer, path: string): void {
  server.route({
    method: "OPTIONS",
    url: path,
    onRequest: (request, reply, done) => {
      answerPreflight(request, reply);
      done();
    },
    handler: () => undefined,
  });
}

/** Answers 405 with the methods that the path has. */
function addOtherMethods(
  server: HttpServer,
  { path, allowed, preflight }: { readonly path: string; readonly allowed: readonly string[]; readonly preflight: boolean },
): void {
  const taken = new Set([...allowed, ...(allowed.includes("GET") ? ["HEAD"] : []), ...(preflight ? ["OPTIONS"] : [])]);
  const others = (["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const).filter((method) => !taken.has(method));
  server.route({
    method: others,
    url: path,
    bodyLimit: limit("requestBodyBytesMax"),
    onRequest: (request, reply, done) => {
      const allow = [...taken].join(", ");
      const refusal = errorReply(plinthError("MethodNotAllowed", { method: request.method, allowed: allow }));
      sendText(reply, { ...refusal, headers: { allow } });
      done();
    },
    handler: () => undefined,
  });
}

/**
 * CORS as Convex clients in browsers expect it: the origin and the headers that are asked for are allowed. No
 * cookie means anything to these routes, so an origin gains nothing that its own key or token does not give it.
 */
import type { FastifyReply, FastifyRequest } from "fastify";

export function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const origin = request.headers.origin;
  if (origin === undefined) return;
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-allow-credentials", "true");
  reply.header("vary", "Origin");
}

export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowOrigin(request, reply);
  const headers = request.headers["access-control-request-headers"];
  if (headers !== undefined) reply.header("access-control-allow-headers", headers);
  reply.header("access-control-allow-methods", "GET, POST");
  reply.header("access-control-max-age", "86400");
  return reply.code(204).send();
}

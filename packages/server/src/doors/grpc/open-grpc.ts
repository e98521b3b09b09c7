/**
 * The port for gRPC: HTTP/2 without TLS, as behind a proxy or within a cluster. It serves `plinth.v1.FunctionService` with keys, and
 * health and descriptors to everybody.
 *
 * G1 Connections, their streams, headers and messages are bounded before anything is parsed.
 * G2 Closing: connections take no new calls, running ones are answered, and what is left when `signal` aborts is cut.
 */
import { createConnectRouter, type ConnectRouter } from "@connectrpc/connect";
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { Health } from "../../protobuf/_generated/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../protobuf/_generated/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "../../protobuf/_generated/grpc/reflection/v1alpha/reflection_pb.js";
import { FunctionService } from "../../protobuf/_generated/plinth/v1/functions_pb.js";
import type { DoorContext } from "../door.ts";
import { callGate } from "./call-gate.ts";
import { functionService } from "./function-service.ts";
import { health } from "./health.ts";
import { answerUnimplemented, nodeHandler } from "./node-handler.ts";
import { describe, reflection, reflectionAlpha } from "./reflection.ts";
import { COMPRESSIONS } from "./request-message.ts";

export interface GrpcDoor {
  readonly port: number;
  close(signal: AbortSignal): Promise<void>;
}

/** A router with the one service that needs a key. */
export function functionRouter(context: DoorContext, protocols: { readonly grpc: boolean }): ConnectRouter {
  const router = createConnectRouter({
    ...protocols,
    acceptCompression: COMPRESSIONS,
    // What a timer of the machine can wait for.
    maxTimeoutMs: limit("grpcTimeoutMsMax"),
    readMaxBytes: limit("grpcReceiveBytesMax"),
    writeMaxBytes: limit("grpcSendBytesMax"),
    jsonOptions: { alwaysEmitImplicit: false },
  });
  return router.service(FunctionService, functionService(context), { requestGate: callGate(context) });
}

export async function openGrpc(context: DoorContext, at: { readonly address: string; readonly port: number }): Promise<GrpcDoor> {
  const ending = new AbortController();
  const services = [FunctionService, Health, ServerReflection, ServerReflectionAlpha];
  const open = { readMaxBytes: limit("grpcOpenMessageBytesMax") };
  const router = functionRouter(context, { grpc: true })
    .service(
      Health,
      health(
        services.map(({ typeName }) => typeName),
        ending.signal,
      ),
      open,
    )
    .service(ServerReflection, reflection(describe(services), ending.signal), open)
    .service(ServerReflectionAlpha, reflectionAlpha(describe(services), ending.signal), open);
  const handle = nodeHandler(context, router, answerUnimplemented);
  const server = createServer(
    {
      maxHeaderListPairs: limit("requestHeadersMax"),
      settings: {
        maxConcurrentStreams: limit("grpcStreamsPerConnectionMax"),
        maxHeaderListSize: limit("requestHeaderBytesMax"),
        initialWindowSize: limit("grpcWindowBytes"),
      },
    },
    (request, response) => void handle(request, response),
  );
  context.connections.watch(server, (socket) => socket.destroy());
  // A silent connection is closed when its calls are answered; clients open another. Its types do not know the property.
  Object.assign(server, { timeout: limit("grpcIdleMs") });
  server.on("timeout", (session: ServerHttp2Session) => session.close());
  const sessions = trackSessions(server);
  return {
    port: await listening(server, at),
    close: async (signal) => {
      ending.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const cut = () => sessions.forEach((session) => session.destroy());
      if (signal.aborted) cut();
      signal.addEventListener("abort", cut, { once: true });
      await closed;
      signal.removeEventListener("abort", cut);
    },
  };
}

function trackSessions(server: Http2Server): ReadonlySet<ServerHttp2Session> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    // What is wrong with a connection ends it; nobody else is concerned.
    session.on("error", () => session.destroy());
  });
  return sessions;
}

async function listening(server: Http2Server, { address, port }: { readonly address: string; readonly port: number }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? plinthError("PortTaken", { port, address }, { cause: error }) : error),
    );
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

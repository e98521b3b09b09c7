/** Opens the ports: the API with all its doors, the HTTP actions' own origin, and gRPC where it is wanted. */
import { limit } from "@plinth/core/limits.ts";
import { CONVEX_ROUTES } from "./convex/table.ts";
import type { DoorContext } from "./door.ts";
import type { GrpcDoor } from "./grpc/open-grpc.ts";
import { serveFunctionJson } from "./grpc/serve-json.ts";
import { serveHttpActions } from "./http-actions/serve-http-actions.ts";
import { serveMcp } from "./mcp/serve-mcp.ts";
import { createHttpServer, listen, type HttpServer } from "./http-server.ts";
import { INBOUND_ROUTES } from "./inbound/table.ts";
import { NATIVE_ROUTES } from "./native/table.ts";
import { SNAP_IN_ROUTES } from "./snap-in/table.ts";
import { serveRoutes } from "./serve-routes.ts";
import type { SmtpDoor } from "./smtp/open-smtp.ts";
import { SYNC_ROUTES } from "./sync/table.ts";

export interface Doors {
  readonly apiPort: number;
  readonly sitePort: number;
  readonly grpcPort: number | null;
  readonly smtpPort: number | null;
  /** Refuses new connections and requests, ends event streams, and waits until the running requests are answered or `signal` aborts. */
  close(signal: AbortSignal): Promise<void>;
}

export interface DoorsOptions {
  readonly address: string;
  readonly port: number;
  readonly httpActionsPort: number;
  /** No gRPC when null. */
  readonly grpcPort: number | null;
  /** No SMTP when null. */
  readonly smtpPort: number | null;
  readonly smtpDomain: string | null;
}

/** `context` may still lack the URLs; they are asked for when the first request comes. */
export async function openDoors(context: DoorContext, options: DoorsOptions): Promise<Doors> {
  const api = createHttpServer(context, { bodyBytesMax: limit("requestBodyBytesMax") });
  serveRoutes(api, context, [
    ...Object.values(NATIVE_ROUTES),
    ...Object.values(CONVEX_ROUTES),
    ...Object.values(INBOUND_ROUTES),
    ...Object.values(SYNC_ROUTES),
    ...Object.values(SNAP_IN_ROUTES),
  ]);
  serveHttpActions(api, context, "api");
  serveFunctionJson(api, context);
  const mcp = serveMcp(api, context);
  const site = createHttpServer(context, { bodyBytesMax: limit("httpBodyBytesMax") });
  serveHttpActions(site, context, "site");
  const opened = await Promise.allSettled([
    listen(api, { address: options.address, port: options.port }),
    listen(site, { address: options.address, port: options.httpActionsPort }),
    openGrpcPort(context, options),
    openSmtpPort(context, options),
  ]);
  const [apiPort, sitePort, grpc, smtp] = opened;
  if (apiPort.status === "rejected" || sitePort.status === "rejected" || grpc.status === "rejected" || smtp.status === "rejected") {
    await Promise.all([
      api.close(),
      site.close(),
      grpc.status === "fulfilled" ? grpc.value?.close(AbortSignal.abort()) : undefined,
      smtp.status === "fulfilled" ? smtp.value?.close(AbortSignal.abort()) : undefined,
    ]);
    throw opened.find((each) => each.status === "rejected")?.reason;
  }
  return {
    apiPort: apiPort.value,
    sitePort: sitePort.value,
    grpcPort: grpc.value?.port ?? null,
    smtpPort: smtp.value?.port ?? null,
    close: async (signal) => {
      context.streams.shutDown();
      await Promise.all([closeServer(api, signal), closeServer(site, signal), grpc.value?.close(signal), smtp.value?.close(signal)]);
      await mcp.close();
    },
  };
}

async function openGrpcPort(context: DoorContext, { address, grpcPort }: DoorsOptions): Promise<GrpcDoor | undefined> {
  if (grpcPort === null) return undefined;
  const { openGrpc } = await import("./grpc/open-grpc.ts");
  return await openGrpc(context, { address, port: grpcPort });
}

async function openSmtpPort(context: DoorContext, { address, smtpPort, smtpDomain }: DoorsOptions): Promise<SmtpDoor | undefined> {
  if (smtpPort === null) return undefined;
  const { openSmtp } = await import("./smtp/open-smtp.ts");
  return await openSmtp(context, { address, port: smtpPort, domain: smtpDomain ?? "localhost" });
}

async function closeServer(server: HttpServer, signal: AbortSignal): Promise<void> {
  const cut = () => server.server.closeAllConnections();
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  try {
    await server.close();
  } finally {
    signal.removeEventListener("abort", cut);
  }
}

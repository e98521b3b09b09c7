/** A small world for the network abuse tests: real local servers, a resolver with chosen answers, an egress. */
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "@plinth/server/runtime/runtime.ts";
import { createEgress, type EgressOptions } from "@plinth/server/sandbox/egress/create-egress.ts";
import type { Resolver } from "@plinth/server/sandbox/egress/resolve.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp, type Server as TcpServer, type Socket } from "node:net";
import type { Certificate } from "./certificate.ts";

export interface LocalServer {
  readonly port: number;
  /** What arrived, in order. */
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly rawHeaders: readonly string[];
  }[];
}

export interface Sent extends Partial<FetchRequest> {
  readonly url: string;
}

export class World {
  readonly #cleanups: (() => Promise<void> | void)[] = [];
  readonly #answers = new Map<string, readonly (readonly string[])[]>();
  /** Names that were asked for, in order. */
  readonly asked: string[] = [];

  /** Answers for a name: the n-th question gets the n-th list, the last one repeats. */
  name(hostname: string, ...answers: readonly (readonly string[])[]): void {
    this.#answers.set(hostname, answers);
  }

  get resolver(): Resolver {
    return {
      resolve: (hostname) => {
        const before = this.asked.filter((each) => each === hostname).length;
        this.asked.push(hostname);
        const answers = this.#answers.get(hostname);
        if (answers === undefined) return Promise.reject(Object.assign(new Error("unknown"), { code: "ENOTFOUND" }));
        return Promise.resolve(answers[Math.min(before, answers.length - 1)] ?? []);
      },
      close: () => {},
    };
  }

  egress(options: { readonly allow?: readonly string[]; readonly ports?: readonly number[] } & Partial<EgressOptions> = {}): Client {
    const { allow = [], ports = [], ...rest } = options;
    const egress = createEgress({
      policy: { allowedPrivate: allow, allowedPorts: ports },
      runtime: REAL_TIME,
      resolver: this.resolver,
      ...rest,
    });
    this.#cleanups.push(() => egress.close());
    return async (sent, context = {}) =>
      egress.fetch(
        { method: "GET", headers: [], bodyBase64: null, redirect: "follow", ...sent },
        { tenant: "tenant", invocation: "invocation", signal: new AbortController().signal, ...context },
      );
  }

  async server(handler: RequestListener, certificate?: Certificate, address = "127.0.0.1"): Promise<LocalServer> {
    const requests: LocalServer["requests"] = [];
    const listener: RequestListener = (request, response) => {
      requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, rawHeaders: request.rawHeaders });
      handler(request, response);
    };
    const server: Server = certificate === undefined ? createHttp(listener) : createHttps(certificate, listener);
    return { port: await this.#listen(server, address), requests };
  }

  /** A server that speaks bytes. */
  async raw(onConnection: (socket: Socket) => void): Promise<{ readonly port: number }> {
    const server = createTcp((socket) => {
      socket.on("error", () => {});
      onConnection(socket);
    });
    return { port: await this.#listen(server, "127.0.0.1") };
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).toReversed()) await cleanup();
  }

  async #listen(server: TcpServer, address: string): Promise<number> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    this.#cleanups.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("the server has no port");
    return bound.port;
  }
}

export type Client = (sent: Sent, context?: Partial<Parameters<ReturnType<typeof createEgress>["fetch"]>[1]>) => Promise<FetchResponse>;

/** The code of the error that `work` ends with, or `ok`. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof PlinthError) return error.code;
    throw error;
  }
}

export function text(response: FetchResponse): string {
  return Buffer.from(response.bodyBase64, "base64").toString();
}

const REAL_TIME: Runtime = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  random: () => Math.random(),
  timer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

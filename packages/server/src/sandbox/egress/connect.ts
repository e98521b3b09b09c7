/**
 * Opens a connection to an address that was checked, and to nothing else. The socket is made here and
 * handed to the HTTP client ready, so no agent, proxy setting or name lookup of Node has a part in it.
 */
import { isSameAddress } from "@plinth/core/policy/public-address.ts";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecure, getCACertificates, type TLSSocket } from "node:tls";
import { errorCode, failed } from "./fetch-errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Target } from "./target.ts";

export interface ConnectOptions {
  /** Certificate authorities (PEM) that are trusted besides those of Node. */
  readonly authorities: readonly string[];
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
}

/** Addresses of one name that are tried; the time for a connection is divided among them. */
const ATTEMPTS = 4;

/** Tries the addresses in order; throws FetchFailed when none of them answers. */
export async function connectTo(target: Target, addresses: readonly string[], options: ConnectOptions): Promise<Socket> {
  let last: unknown;
  const tried = addresses.slice(0, ATTEMPTS);
  const attemptMs = limit("fetchConnectMsMax") / tried.length;
  for (const address of tried) {
    try {
      const socket = await openSocket(target, address, { ...options, attemptMs });
      return target.secure ? await secure(target, socket, options) : socket;
    } catch (error) {
      last = error;
      if (options.signal.aborted) break;
    }
  }
  if (options.signal.aborted) throw options.signal.reason;
  throw failed(target.url, `no connection (${errorCode(last)})`, last);
}

async function openSocket(target: Target, address: string, options: ConnectOptions & { readonly attemptMs: number }): Promise<Socket> {
  const socket = connectPlain({ host: address, port: target.port, family: isIP(address), autoSelectFamily: false, noDelay: true });
  const timer = options.runtime.timer(options.attemptMs, () => socket.destroy(new Error("no answer in time")));
  await opened(socket, "connect", options.signal).finally(() => timer.cancel());
  if (!isSameAddress(socket.remoteAddress ?? "", address)) {
    socket.destroy();
    throw new Error("the connection has another address than the one that was checked");
  }
  return socket;
}

async function secure(target: Target, plain: Socket, options: ConnectOptions): Promise<TLSSocket> {
  const socket = connectSecure({
    socket: plain,
    // The certificate is always checked, whatever the environment says, and against the name in the URL.
    rejectUnauthorized: true,
    host: target.hostname,
    ...(target.isAddress ? {} : { servername: target.hostname }),
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    ...(options.authorities.length === 0 ? {} : { ca: [...getCACertificates(), ...options.authorities] }),
  });
  await opened(socket, "secureConnect", options.signal);
  return socket;
}

/** Resolves when the socket is ready; destroys it when it fails or the signal comes first. */
function opened(socket: Socket, ready: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => void socket.destroy(new Error("aborted"));
  socket.once(ready, resolve);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    // Whoever takes the socket listens for its errors; until then a late one must not end the process.
    socket.on("error", () => {});
  });
}

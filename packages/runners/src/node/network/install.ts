/**
 * The network of a jailed process, which has no sockets: `net`, `tls` and `dns` are replaced where every client of Node ends up, so that
 * http, https, fetch and the packages above them work as they are. Requests leave as host calls; the host does DNS and TLS, and checks
 * where they go. What is not HTTP fails with a clear error.
 */
import dns from "node:dns";
import type { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import net, { Socket } from "node:net";
import type { HostCaller } from "../host-calls.ts";
import { type ConnectOptions, readConnectArguments } from "./connect-arguments.ts";
import { type ConnectionTarget, connectionError } from "./http-peer.ts";
import { nameBehind, placeholderAddress } from "./names.ts";
import { connectVirtually, descriptorsOf } from "./virtual-socket.ts";

export function installVirtualNetwork(hostCall: HostCaller): void {
  replace(Socket.prototype, {
    connect(this: Socket, ...args: readonly unknown[]) {
      const { options, callback } = readConnectArguments(args);
      if (callback !== undefined) this.once("connect", callback);
      open(this, options, { secure: false, hostCall });
      return this;
    },
  });
  // Not imported, because loading it takes a quarter of the time of a start, and the host waits for the start.
  replace(process.getBuiltinModule("node:tls"), { connect: (...args: readonly unknown[]) => connectTls(args, hostCall) });
  replace(dns, { lookup, resolve: resolveWith, resolve4: resolveWith });
  replace(dns.promises, {
    lookup: async (name: string, options?: LookupOptions) => Promise.resolve(addressesOf(name, options)),
    resolve: async (name: string, recordType?: unknown) => {
      const found = resolved(name, recordType);
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    resolve4: async (name: string) => Promise.resolve([placeholderAddress(name)]),
  });
  syncBuiltinESMExports();
}

function connectTls(args: readonly unknown[], hostCall: HostCaller): Socket {
  const { options, callback } = readConnectArguments(args);
  const under = options.socket instanceof Socket ? options.socket : undefined;
  const socket = new Socket();
  if (callback !== undefined) (socket as EventEmitter).once("secureConnect", callback);
  if (typeof options.timeout === "number" && options.timeout > 0) socket.setTimeout(options.timeout);
  const to = under === undefined ? options : { ...options, host: options.host ?? under.remoteAddress, port: under.remotePort };
  const host = hostOf(to);
  const servername = typeof options.servername === "string" ? options.servername : net.isIP(host) === 0 ? host : "";
  Object.defineProperties(socket, descriptorsOf(tlsParts(socket, servername, host)));
  open(socket, to, { secure: true, hostCall });
  return socket;
}

function open(
  socket: Socket,
  options: ConnectOptions,
  { secure, hostCall }: { readonly secure: boolean; readonly hostCall: HostCaller },
): void {
  const target: ConnectionTarget = { secure, host: hostOf(options), port: Number(options.port) };
  const problem = problemOf(options, target);
  if (problem === undefined) return connectVirtually(socket, target, hostCall);
  // It fails as a connection in the making does, which is what clients wait for.
  (socket as { connecting: boolean }).connecting = true;
  process.nextTick(() => socket.destroy(connectionError(problem, "EPERM", target)));
}

function problemOf(options: ConnectOptions, target: ConnectionTarget): string | undefined {
  if (typeof options.path === "string") return "only HTTP leaves the sandbox: there are no sockets of the file system";
  if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65_535)
    return "the port of a connection is not a number from 1 to 65535";
  if (!target.secure) return undefined;
  if (options.cert !== undefined || options.pfx !== undefined)
    return "client certificates do not leave the sandbox: the host makes the TLS connection";
  const protocols: readonly unknown[] = Array.isArray(options.ALPNProtocols) ? options.ALPNProtocols : [];
  if (protocols.length > 0 && !protocols.includes("http/1.1")) return "only HTTP/1.1 leaves the sandbox";
  return undefined;
}

function hostOf(options: ConnectOptions): string {
  const host = [options.host, options.hostname].find((each): each is string => typeof each === "string" && each !== "");
  return nameBehind((host ?? "localhost").replace(/^\[(.*)\]$/, "$1"));
}

/** What clients ask of an encrypted connection. The real one is the host's, which always verifies. */
function tlsParts(socket: Socket, servername: string, host: string): Readonly<Record<string, unknown>> {
  return {
    encrypted: true,
    authorized: true,
    authorizationError: null,
    secureConnecting: true,
    alpnProtocol: "http/1.1",
    servername,
    getPeerCertificate: () => ({ subject: { CN: host }, issuer: { CN: host }, subjectaltname: `DNS:${host}` }),
    getCertificate: () => ({}),
    getCipher: () => ({ name: "TLS_AES_256_GCM_SHA384", standardName: "TLS_AES_256_GCM_SHA384", version: "TLSv1.3" }),
    getProtocol: () => "TLSv1.3",
    getSession: () => undefined,
    getTLSTicket: () => undefined,
    getEphemeralKeyInfo: () => ({}),
    getFinished: () => undefined,
    getPeerFinished: () => undefined,
    isSessionReused: () => false,
    setSession: () => undefined,
    setServername: () => undefined,
    setMaxSendFragment: () => true,
    disableRenegotiation: () => undefined,
    enableTrace: () => undefined,
    renegotiate: () => false,
    getX509Certificate: () => undefined,
    getPeerX509Certificate: () => undefined,
    getSharedSigalgs: () => [],
    _releaseControl: () => socket,
  };
}

interface LookupOptions {
  readonly all?: boolean;
  readonly family?: unknown;
}

interface Address {
  readonly address: string;
  readonly family: number;
}

function addressesOf(name: string, options: LookupOptions | number | undefined): Address | readonly Address[] {
  const address = placeholderAddress(name === "" ? "localhost" : name);
  const found = { address, family: net.isIP(address) };
  return typeof options === "object" && options.all === true ? [found] : found;
}

function lookup(name: string, ...rest: readonly unknown[]): void {
  const callback = rest.at(-1) as (error: null, address: unknown, family?: number) => void;
  const options = rest.length > 1 ? (rest[0] as LookupOptions) : undefined;
  const found = addressesOf(name, options);
  process.nextTick(() => {
    if ("address" in found) callback(null, found.address, found.family);
    else callback(null, found);
  });
}

type ResolveCallback = (error: Error | null, addresses?: readonly string[]) => void;

function resolveWith(name: string, ...rest: readonly unknown[]): void {
  const callback = rest.at(-1) as ResolveCallback;
  process.nextTick(() => {
    const found = resolved(name, rest.length > 1 ? rest[0] : undefined);
    if (found instanceof Error) callback(found);
    else callback(null, found);
  });
}

/** Addresses only: other records would need a resolver. */
function resolved(name: string, recordType: unknown): readonly string[] | Error {
  if (typeof recordType !== "string" || recordType === "A") return [placeholderAddress(name)];
  return Object.assign(new Error(`only addresses are resolved in the sandbox, not ${recordType}`), { code: "ENODATA", hostname: name });
}

function replace(target: object, functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions))
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: Object.keys(target).includes(name) });
}

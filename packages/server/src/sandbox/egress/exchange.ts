/** One request and its response on a connection that is used for nothing else. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { CallBodies, StoredBody } from "../../engine/call-bodies.ts";
import { decodersFor, readBody } from "./body.ts";
import { errorCode, failed } from "./fetch-errors.ts";
import { redirectLocation } from "./redirect.ts";
import { checkHeaderLimits, type Header, type Outgoing } from "./request-rules.ts";
import { decodedStream, receiveBody, sendBody } from "./streamed-body.ts";
import type { Target } from "./target.ts";

export interface ReceivedResponse {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** In place of `body`. */
  readonly stored?: StoredBody;
}

export interface ExchangeOptions {
  readonly signal: AbortSignal;
  /** The body of a redirect that will be followed is of no use and is not read. */
  readonly skipRedirectBody: boolean;
  /** Told of every piece of the body that is kept. */
  readonly reserve: (bytes: number) => void;
  readonly bodies?: CallBodies;
}

/** Headers of the connection, not of the message, and those that no longer hold for a decoded body. */
const NOT_PASSED_ON = new Set(["connection", "keep-alive", "transfer-encoding", "trailer", "upgrade", "proxy-authenticate"]);
const NOT_PASSED_ON_DECODED = new Set(["content-encoding", "content-length"]);

export async function exchange(target: Target, outgoing: Outgoing, socket: Socket, options: ExchangeOptions): Promise<ReceivedResponse> {
  const onAbort = (): void => void socket.destroy();
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    options.signal.throwIfAborted();
    const response = await send(target, outgoing, socket);
    return await receive(response, outgoing, options);
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    throw error instanceof PlinthError ? error : describe(target, error);
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

function send(target: Target, outgoing: Outgoing, socket: Socket): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({
    createConnection: () => socket,
    method: outgoing.method,
    path: target.url.pathname + target.url.search,
    setHost: false,
    setDefaultHeaders: false,
    insecureHTTPParser: false,
    maxHeaderSize: limit("fetchHeaderBytesMax"),
    headers: requestHeaders(target, outgoing),
  });
  // 0 = keep all; Node would drop the ones beyond its own maximum without a word.
  request.maxHeadersCount = 0;
  request.on("response", resolve);
  request.on("error", reject);
  request.on("upgrade", (_response, upgraded) => {
    upgraded.destroy();
    reject(failed(target.url, "the server changed the protocol"));
  });
  const { body } = outgoing;
  if (body === null || Buffer.isBuffer(body)) request.end(body ?? undefined);
  else sendBody(request, body).catch((error: unknown) => request.destroy(error instanceof Error ? error : undefined));
  return promise;
}

/** A flat list, in which names may repeat. */
function requestHeaders(target: Target, outgoing: Outgoing): string[] {
  const given = new Set(outgoing.headers.map(([name]) => name));
  const defaults: readonly Header[] = [
    ["accept", "*/*"],
    ["accept-encoding", "gzip, deflate, br, zstd"],
    ["user-agent", "plinth"],
  ];
  const sendsLength = outgoing.body !== null || outgoing.method === "POST" || outgoing.method === "PUT" || outgoing.method === "PATCH";
  const all: Header[] = [
    ["host", target.url.host],
    ["connection", "close"],
    ...defaults.filter(([name]) => !given.has(name)),
    ...outgoing.headers,
    ...(sendsLength ? [["content-length", String(bodyBytes(outgoing.body))] as const] : []),
  ];
  return all.flat();
}

export function bodyBytes(body: Outgoing["body"]): number {
  if (body === null) return 0;
  return Buffer.isBuffer(body) ? body.length : body.bytes;
}

async function receive(response: IncomingMessage, outgoing: Outgoing, options: ExchangeOptions): Promise<ReceivedResponse> {
  const status = response.statusCode ?? 0;
  const headers = pairs(response.rawHeaders);
  checkHeaderLimits(headers);
  const contentEncoding = headers
    .filter(([name]) => name === "content-encoding")
    .map(([, value]) => value)
    .join(",");
  const decoders = decodersFor(contentEncoding) ?? [];
  const bodiless = outgoing.method === "HEAD" || status === 204 || status === 304;
  const skipped = options.skipRedirectBody && redirectLocation(status, headers) !== undefined;
  const stream = bodiless || skipped || options.bodies === undefined ? undefined : decodedStream(response, contentEncoding);
  const received =
    stream === undefined || options.bodies === undefined
      ? { body: bodiless || skipped ? Buffer.alloc(0) : await readBody(response, decoders, options.reserve), stored: null }
      : await receiveBody(stream, headers.find(([name]) => name === "content-type")?.[1] ?? "", { ...options, bodies: options.bodies });
  const decoded = decoders.length > 0 && !bodiless;
  return {
    status,
    statusText: response.statusMessage ?? "",
    headers: headers.filter(([name]) => !NOT_PASSED_ON.has(name) && !(decoded && NOT_PASSED_ON_DECODED.has(name))),
    body: received.body ?? Buffer.alloc(0),
    ...(received.stored === null ? {} : { stored: received.stored }),
  };
}

function pairs(raw: readonly string[]): readonly Header[] {
  const headers: Header[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) headers.push([(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""]);
  return headers;
}

function describe(target: Target, error: unknown): PlinthError {
  const code = errorCode(error);
  const max = limit("fetchHeaderBytesMax");
  if (code === "HPE_HEADER_OVERFLOW")
    return plinthError("LimitExceeded", { what: "Bytes of the response headers of a fetch", actual: `more than ${max}`, max });
  if (code.startsWith("Z_") || (code.startsWith("ERR_") && /BROTLI|ZSTD|ZLIB/.test(code)))
    return failed(target.url, `the response cannot be decoded (${code})`, error);
  return failed(target.url, `the exchange ended early (${code})`, error);
}

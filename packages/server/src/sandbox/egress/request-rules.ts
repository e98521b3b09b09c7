/**
 * What a request may look like. The host builds the framing (Host, Content-Length, Connection) itself;
 * a header that would change it is refused, never dropped or corrected.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { SentBody } from "../../engine/call-bodies.ts";
import { refused } from "./fetch-errors.ts";

export type Header = readonly [name: string, value: string];

/** A checked request without its target. */
export interface Outgoing {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: readonly Header[];
  readonly body: Buffer | SentBody | null;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters, spaces and tabs; nothing that ends a line. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);
const REFUSED_HEADERS = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "keep-alive",
  "te",
  "trailer",
  "expect",
  "http2-settings",
]);
/** Methods whose spelling is made upper case, as the Fetch standard says. */
const NORMALISED_METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);

export function checkRequest(request: FetchRequest, sent: SentBody | null = null): Outgoing {
  const method = checkMethod(request);
  const body = sent === null ? checkBody(request, method) : checkStoredBody(sent, method);
  return { method, headers: checkHeaders(request), body };
}

function checkMethod(request: FetchRequest): string {
  const upper = request.method.toUpperCase();
  if (request.method.length > 32 || !TOKEN.test(request.method)) throw invalid("The method of a fetch is not valid.");
  if (REFUSED_METHODS.has(upper)) throw refused(request.url, `the method ${upper} is not possible`);
  return NORMALISED_METHODS.has(upper) ? upper : request.method;
}

function checkHeaders(request: FetchRequest): readonly Header[] {
  const headers = request.headers.map(([name, value]): Header => [name.toLowerCase(), value]);
  for (const [name, value] of headers) {
    if (!TOKEN.test(name)) throw invalid("The name of a header of a fetch is not valid.");
    if (!VALUE.test(value)) throw invalid(`The value of the header ${name.slice(0, 64)} of a fetch is not valid.`);
    if (REFUSED_HEADERS.has(name) || name.startsWith("proxy-"))
      throw refused(request.url, `the header ${name.slice(0, 64)} is set by the host alone`);
  }
  checkHeaderLimits(headers);
  return headers;
}

/** Limits of the headers in either direction. */
export function checkHeaderLimits(headers: readonly Header[]): void {
  const countMax = limit("fetchHeadersMax");
  if (headers.length > countMax) throw plinthError("LimitExceeded", { what: "Headers of a fetch", actual: headers.length, max: countMax });
  // ": " and the line's end belong to a header too.
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  const bytesMax = limit("fetchHeaderBytesMax");
  if (bytes > bytesMax) throw plinthError("LimitExceeded", { what: "Bytes of the headers of a fetch", actual: bytes, max: bytesMax });
}

function checkStoredBody(sent: SentBody, method: string): SentBody {
  if (method === "GET" || method === "HEAD") throw invalid(`A fetch with the method ${method} cannot have a body.`);
  return sent;
}

function checkBody(request: FetchRequest, method: string): Buffer | null {
  const text = request.bodyBase64;
  if (text === null) return null;
  if (method === "GET" || method === "HEAD") throw invalid(`A fetch with the method ${method} cannot have a body.`);
  const max = limit("fetchBodyBytesMax");
  const bytes = Math.floor((text.length * 3) / 4);
  if (bytes > max + 2) throw plinthError("LimitExceeded", { what: "Bytes of the body of a fetch", actual: bytes, max });
  if (!BASE64.test(text)) throw invalid("The body of a fetch is not base64.");
  const body = Buffer.from(text, "base64");
  if (body.length > max) throw plinthError("LimitExceeded", { what: "Bytes of the body of a fetch", actual: body.length, max });
  return body;
}

function invalid(detail: string): PlinthError {
  return plinthError("InvalidArgument", { detail });
}

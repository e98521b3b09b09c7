/** `fetch` of actions: the host performs it. Bodies travel whole, not as streams. */
import { limit } from "@plinth/core/limits.ts";
import { HOST_OPS, type FetchRequest, type FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import { dataURLProcessor } from "undici/lib/web/fetch/data-url.js";
import { receivedResponse, Request, type Response } from "./fetch-classes.ts";
import { heldBridge } from "./held-bridge.ts";
import { URL } from "./url.ts";

/**
 * Headers that programs set out of habit and that the host sets itself; the Fetch standard drops them too.
 * Others that are the host's are sent to it, which says that they are refused.
 */
const DROPPED_HEADERS = new Set(["content-length", "connection"]);

export async function fetch(...args: ConstructorParameters<typeof Request>): Promise<Response> {
  heldBridge().requireAction("fetch()");
  const request = makeRequest(args);
  request.signal.throwIfAborted();
  const url = new URL(request.url);
  if (url.protocol === "data:") return fetchData(url);
  const body = request.body === null ? null : await request.bytes();
  request.signal.throwIfAborted();
  const max = limit("fetchBodyBytesMax");
  if (body !== null && body.length > max) throw new TypeError(`The body of a fetch has ${body.length} bytes and may have ${max}.`);
  return await unlessAborted(request.signal, send(request, url, body));
}

/** The error of a URL with credentials repeats them, and the errors of a fetch are often logged. */
function makeRequest(args: ConstructorParameters<typeof Request>): Request {
  try {
    return new Request(...args);
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("credentials:"))
      throw new TypeError("A fetch cannot have user name and password in its URL; use the Authorization header.");
    throw error;
  }
}

async function send(request: Request, url: URL, body: Uint8Array | null): Promise<Response> {
  const { intrinsics, hostCall } = heldBridge();
  const headers = [...request.headers].filter(([name, value]) => !DROPPED_HEADERS.has(name) && !(name === "host" && value === url.host));
  const sent: FetchRequest = {
    url: url.href,
    method: request.method,
    headers,
    bodyBase64: body === null ? null : body.toBase64(),
    redirect: request.redirect,
  };
  const received = intrinsics.JSONparse(await hostCall(HOST_OPS.fetch, intrinsics.JSONstringify(sent)).catch(asTypeError)) as FetchResponse;
  const urls = received.redirected ? [url.href, received.url] : [received.url];
  return receivedResponse({ ...received, urls, body: Uint8Array.fromBase64(received.bodyBase64) });
}

/** A fetch that fails rejects with a TypeError, which is what programs look for. */
function asTypeError(error: unknown): never {
  throw new TypeError(error instanceof Error ? error.message : "fetch failed", { cause: error });
}

function fetchData(url: URL): Response {
  const data = dataURLProcessor(url);
  if (data === "failure") throw new TypeError("fetch failed: the data URL is not valid");
  const headers = [["content-type", data.mimeType === "failure" ? "text/plain;charset=US-ASCII" : mimeTypeText(data.mimeType)]] as const;
  return receivedResponse({ urls: [url.href], status: 200, statusText: "OK", headers, body: data.body });
}

function mimeTypeText({ essence, parameters }: { readonly essence: string; readonly parameters: ReadonlyMap<string, string> }): string {
  return (
    essence +
    [...parameters]
      .map(([name, value]) => `;${name}=${/^[\w!#$%&'*+.^`|~-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`)
      .join("")
  );
}

async function unlessAborted<T>(signal: Request["signal"], work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

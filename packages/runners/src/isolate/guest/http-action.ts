/** Runs the HTTP router of the version: the default export of its module `http`. */
import type { HttpActionRequest, HttpActionResponse } from "@plinth/core/protocol/runner-protocol.ts";
import { hasModule, moduleOf } from "./modules.ts";
import { jsonParse, jsonStringify } from "./realm.ts";

interface Router {
  lookup(path: string, method: string): readonly [{ invokeHttpAction(request: unknown): Promise<unknown> }, string, string] | null;
}

interface WebResponse {
  readonly status: number;
  readonly headers: Iterable<[string, string]>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

declare const Request: new (url: string, init: object) => { readonly url: string };

const NOT_ROUTED: HttpActionResponse = { routed: false, status: 404, headers: [], bodyBase64: "" };

export async function runHttpAction(requestText: string): Promise<string> {
  const { method, url, headers, bodyBase64 } = jsonParse(requestText) as HttpActionRequest;
  const router = hasModule("http") ? (moduleOf("http")["default"] as Router | undefined) : undefined;
  if (router === undefined || typeof router.lookup !== "function") return jsonStringify(NOT_ROUTED);
  const match = router.lookup(pathOf(url), method);
  if (match === null) return jsonStringify(NOT_ROUTED);
  const body = bodyBase64 === "" ? undefined : Uint8Array.fromBase64(bodyBase64);
  const response = await match[0].invokeHttpAction(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }));
  return jsonStringify(await responseOf(response));
}

/** The path of an absolute URL, as the host normalised it. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}

async function responseOf(value: unknown): Promise<HttpActionResponse> {
  const response = value as WebResponse | null;
  if (typeof response !== "object" || response === null || typeof response.arrayBuffer !== "function") {
    throw new TypeError("An HTTP action has to return a Response.");
  }
  const headers = [...response.headers].map(([name, text]): [string, string] => [`${name}`, `${text}`]);
  const body = new Uint8Array(await response.arrayBuffer());
  return { routed: true, status: response.status, headers, bodyBase64: body.toBase64() };
}

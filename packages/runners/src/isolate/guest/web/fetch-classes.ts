/**
 * Headers, Request, Response and FormData are those of undici, which Node itself uses. Only these classes
 * are taken, not its HTTP client; the modules of Node that they ask for are the small ones in `shims/`.
 */
// The order matters: Request takes a converter that Response defines.
import { filterResponse, fromInnerResponse, makeResponse, Response } from "undici/lib/web/fetch/response.js";
import { Request } from "undici/lib/web/fetch/request.js";
import { FormData } from "undici/lib/web/fetch/formdata.js";
import { Headers, HeadersList } from "undici/lib/web/fetch/headers.js";
import { safelyExtractBody } from "undici/lib/web/fetch/body.js";
import { URL } from "./url.ts";
import { knowClasses } from "./known-classes.ts";
import "./abort.ts";

knowClasses({ FormData, Headers, Request, Response });

export interface ReceivedResponse {
  /** The addresses of the request, the last one being the one that answered. */
  readonly urls: readonly string[];
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

const NULL_BODY_STATUSES: readonly number[] = [101, 103, 204, 205, 304];

/** A Response as `fetch` returns it: with its address, and headers that cannot be changed. */
export function receivedResponse({ urls, status, statusText, headers, body }: ReceivedResponse): Response {
  const headersList = new HeadersList();
  for (const [name, value] of headers) headersList.append(name, value, false);
  const inner = makeResponse({
    urlList: urls.map((url) => new URL(url)),
    status,
    statusText,
    headersList,
    body: NULL_BODY_STATUSES.includes(status) ? null : safelyExtractBody(body)[0],
  });
  return fromInnerResponse(filterResponse(inner, "basic"), "immutable");
}

export { FormData, Headers, Request, Response };

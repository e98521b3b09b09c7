/** `http`: one request to another system, through the egress guard. An answer that is not a success is an answer, not a failure. */
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isList, isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { Fetched } from "../../sandbox/egress.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const BODY_BYTES_MAX = limit("httpOperationBodyBytesMax");
const TIMEOUT_MS_MAX = limit("httpOperationTimeoutMsMax");

const operation = describeNative({
  slug: "http",
  displayName: "HTTP request",
  description: "Send a request to another system and take its answer.",
  effect: "outside",
  inputs: [
    nativeField("url", "text", "Address, http or https.", { isRequired: true }),
    nativeField("method", "enum", "", { allowedValues: METHODS, defaultValue: "GET" }),
    nativeField("headers", "struct", "Name → value.", { schema: { type: "object", additionalProperties: { type: "string" } } }),
    nativeField("query", "struct", "Parameters that are added to the address: name → value or list of values."),
    nativeField("body", "json_value", "A text is sent as it is, anything else as JSON."),
    nativeField("body_base64", "text", "Bytes to send in place of `body`."),
    nativeField("timeout_ms", "int", "How long the whole of it may take.", {
      defaultValue: limit("httpOperationTimeoutMs"),
      schema: { type: "integer", minimum: 1, maximum: TIMEOUT_MS_MAX },
    }),
    nativeField("response_bytes_max", "int", "Longer answers are refused.", {
      defaultValue: BODY_BYTES_MAX,
      schema: { type: "integer", minimum: 0, maximum: BODY_BYTES_MAX },
    }),
    nativeField("follow_redirects", "bool", "Each address is checked like the first.", { defaultValue: true }),
  ],
  outputs: [
    nativeField("status", "int", "", { isRequired: true }),
    nativeField("ok", "bool", "Whether the status is 200 to 299.", { isRequired: true }),
    nativeField("url", "text", "Where the answer came from.", { isRequired: true }),
    nativeField("headers", "struct", "Names in lower case.", { isRequired: true }),
    nativeField("body", "json_value", "The value of JSON, the text of other text; null where there is none.", { isRequired: true }),
    nativeField("body_base64", "text", "In place of `body`: of what is not text."),
    nativeField("stored_body", "struct", "In place of `body`, in flows: of what is too large to be a part of the answer."),
  ],
});

export const http: MakeNativeOperation = ({ runtime }) => ({
  operation,
  kind: "action",
  wallMs: TIMEOUT_MS_MAX + limit("fetchConnectMsMax"),
  run: async ({ fetch, bodies }, { input }) => {
    const request = requestOf(bodies?.secret === undefined ? input : withSecret(input, bodies.secret));
    const timeoutMs = numberOf(input["timeout_ms"], limit("httpOperationTimeoutMs"));
    const time = new AbortController();
    const late = plinthError("FetchFailed", { url: originOf(request.url), detail: `there was no answer within ${timeoutMs} ms` });
    const timer = runtime.timer(timeoutMs, () => time.abort(late));
    try {
      const response = await fetch(request, { signal: time.signal, ...(bodies === undefined ? {} : { bodies }) });
      return outputOf([outputFields(response, numberOf(input["response_bytes_max"], BODY_BYTES_MAX))]);
    } finally {
      timer.cancel();
    }
  },
});

const SECRET = "{secret}";

/** A secret is no part of the arguments, which are recorded. It goes to the host of the address alone: no redirect is followed. */
function withSecret(input: JsonObject, secret: string): JsonObject {
  const headers = isObject(input["headers"]) ? input["headers"] : {};
  const query = isObject(input["query"]) ? input["query"] : {};
  const isPlaced = [...Object.values(headers), ...Object.values(query)].some(
    (value) => typeof value === "string" && value.includes(SECRET),
  );
  const place = (fields: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? value.replaceAll(SECRET, () => secret) : value]),
    );
  return {
    ...input,
    headers: isPlaced ? place(headers) : { ...headers, authorization: `Bearer ${secret}` },
    query: place(query),
    follow_redirects: false,
  };
}

function requestOf(input: JsonObject): FetchRequest {
  const method = textOf(input["method"]) ?? "GET";
  const bodyBase64 = textOf(input["body_base64"]);
  const { body } = input;
  if (body !== undefined && bodyBase64 !== undefined) throw invalid("Give `body` or `body_base64`, not both.");
  const headers = pairsOf(input["headers"], "headers").map(([name, value]) => [name.toLowerCase(), value] as const);
  const isJson = body !== undefined && typeof body !== "string";
  const typed = headers.some(([name]) => name === "content-type");
  return {
    url: withQuery(textOf(input["url"]) ?? "", input["query"]),
    method,
    headers: isJson && !typed ? [...headers, ["content-type", "application/json"]] : headers,
    bodyBase64:
      bodyBase64 ?? (body === undefined ? null : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)).toString("base64")),
    redirect: input["follow_redirects"] === false ? "manual" : "follow",
  };
}

function withQuery(url: string, query: Json | undefined): string {
  const pairs = pairsOf(query, "query");
  if (pairs.length === 0) return url;
  const parsed = url.length > limit("fetchUrlBytesMax") ? null : URL.parse(url);
  if (parsed === null) throw invalid("`url` is not an address.");
  for (const [name, value] of pairs) parsed.searchParams.append(name, value);
  return parsed.href;
}

/** Name and value of each; a name with a list of values comes several times. */
function pairsOf(object: Json | undefined, what: string): readonly (readonly [string, string])[] {
  if (!isObject(object)) return [];
  const pairs = Object.entries(object).flatMap(([name, value]) =>
    (isList(value) ? value : [value]).map((one) => {
      if (isObject(one) || isList(one) || one === null) throw invalid(`A value of \`${what}\` is a text, a number, true or false.`);
      return [name, String(one)] as const;
    }),
  );
  const max = limit("httpOperationHeadersMax");
  if (pairs.length > max) throw plinthError("LimitExceeded", { what: `Values of \`${what}\``, actual: pairs.length, max });
  return pairs;
}

function outputFields(response: Fetched, bytesMax: number): JsonObject {
  const { status, url } = response;
  const bytes = Buffer.from(response.bodyBase64, "base64");
  if (bytes.length > bytesMax) throw plinthError("LimitExceeded", { what: "Bytes of the answer", actual: bytes.length, max: bytesMax });
  const headers = new Map<string, string>();
  for (const [name, value] of response.headers) {
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return {
    status,
    ok: status >= 200 && status < 300,
    url,
    headers: Object.fromEntries(headers),
    ...(response.stored === undefined
      ? bodyFields(bytes, headers.get("content-type"))
      : { body: null, stored_body: { ...response.stored } }),
  };
}

function bodyFields(bytes: Buffer, contentType = ""): JsonObject {
  if (bytes.length === 0) return { body: null };
  const text = textOfBytes(bytes);
  if (text === undefined) return { body: null, body_base64: bytes.toString("base64") };
  return { body: /^[^;]*[/+]json\b/i.test(contentType) ? (jsonOf(text) ?? text) : text };
}

function textOfBytes(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** undefined for what says that it is JSON and is not, or is too deep to be a value; its text says more than a failure. */
function jsonOf(text: string): Json | undefined {
  try {
    scanJsonText(text, { depthMax: limit("valueDepthMax") - 8, what: "answer" });
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Addresses may hold secrets in their path and query. */
function originOf(url: string): string {
  return URL.parse(url)?.origin ?? "the address";
}

function textOf(json: Json | undefined): string | undefined {
  return typeof json === "string" ? json : undefined;
}

function numberOf(json: Json | undefined, otherwise: number): number {
  return typeof json === "number" ? json : otherwise;
}

function invalid(detail: string) {
  return plinthError("InvalidArgument", { detail });
}

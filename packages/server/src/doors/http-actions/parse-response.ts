/** Reads the response that a runner made of an HTTP action's. Hostile: the runner's text is user code's. */
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { HttpActionResponse } from "@plinth/core/protocol/runner-protocol.ts";

export function parseHttpActionResponse(text: string): HttpActionResponse {
  scanJsonText(text, { depthMax: limit("jsonDepthMax"), what: "response" });
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw wrong("it is no response");
  const { routed, status, headers, bodyBase64 } = json as Record<string, unknown>;
  if (routed === false) return { routed: false, status: 404, headers: [], bodyBase64: "" };
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599)
    throw wrong(`its status is ${String(status).slice(0, 20)}`);
  if (!Array.isArray(headers) || typeof bodyBase64 !== "string") throw wrong("its headers or body are missing");
  const actual = Buffer.byteLength(bodyBase64, "base64");
  const max = limit("httpBodyBytesMax");
  if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of the body of an HTTP action's response", actual, max });
  return { routed: true, status, headers: headers.filter(isPair), bodyBase64 };
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "string";
}

function wrong(detail: string) {
  return plinthError("FunctionError", { detail: `The response of the HTTP action cannot be sent: ${detail}` });
}

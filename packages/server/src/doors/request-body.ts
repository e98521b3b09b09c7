/**
 * Reads JSON bodies. Type, encoding, nesting and the number of values are checked before anything is parsed,
 * so that a hostile body costs no more than one pass over its bytes.
 */
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { DoorRequest } from "./door.ts";

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const JSON_MEDIA_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

const DEPTH_MAX = limit("jsonDepthMax");

export type JsonObject = Readonly<Record<string, unknown>>;

/** The body as a JSON object; an absent body reads as `{}` where `optional` is set. */
export function readJsonObject(request: Pick<DoorRequest, "headers" | "bodyBytes">, options?: { readonly optional: boolean }): JsonObject {
  if (options?.optional === true && (request.bodyBytes === undefined || request.bodyBytes.length === 0)) return {};
  const json = readJson(request);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw plinthError("BadRequest", { detail: "The body must be a JSON object." });
  return json as JsonObject;
}

/** The body as JSON of any kind. */
export function readJson(request: Pick<DoorRequest, "headers" | "bodyBytes">): unknown {
  if (request.bodyBytes === undefined || request.bodyBytes.length === 0) throw plinthError("MalformedJson", { detail: "it is empty" });
  const contentType = request.headers["content-type"];
  if (contentType !== undefined && !JSON_MEDIA_TYPE.test(contentType)) {
    throw plinthError("BadRequest", { detail: "`Content-Type` must be `application/json`." });
  }
  return parseJson(decode(request.bodyBytes));
}

/** Parses JSON text of a caller within the limits of nesting and of values. */
export function parseJson(text: string): unknown {
  // Text without that many opening brackets cannot be too deep; most bodies are shorter than that.
  if (text.length > DEPTH_MAX) scanJsonText(text, { depthMax: DEPTH_MAX, what: "body" });
  try {
    return JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the text around the fault; a part of it is enough to find the place.
    const detail = error instanceof Error ? error.message.slice(0, 200) : "it cannot be parsed";
    throw plinthError("MalformedJson", { detail });
  }
}

function decode(bytes: Buffer): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw plinthError("MalformedJson", { detail: "it is not UTF-8" });
  }
}

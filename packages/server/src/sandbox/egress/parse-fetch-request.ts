/** The strict reader of the argument of the host call `plinth/fetch`; its text is hostile. */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";

/** The object, the list of headers, a header. */
const FETCH_JSON_DEPTH = 3;
const REDIRECTS: readonly unknown[] = ["follow", "error", "manual"] satisfies FetchRequest["redirect"][];

export function parseFetchRequest(argText: string): FetchRequest {
  const value = parseObject(argText);
  const { url, method, headers, bodyBase64, redirect } = value;
  if (typeof url !== "string" || typeof method !== "string") throw invalid();
  if (bodyBase64 !== null && typeof bodyBase64 !== "string") throw invalid();
  if (!REDIRECTS.includes(redirect) || !Array.isArray(headers)) throw invalid();
  return { url, method, headers: headers.map(parseHeader), bodyBase64, redirect: redirect as FetchRequest["redirect"] };
}

function parseHeader(entry: unknown): readonly [string, string] {
  if (!Array.isArray(entry) || entry.length !== 2) throw invalid();
  const [name, value]: readonly unknown[] = entry;
  if (typeof name !== "string" || typeof value !== "string") throw invalid();
  return [name, value];
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    scanJsonText(text, { depthMax: FETCH_JSON_DEPTH, what: "argument of a fetch" });
    value = JSON.parse(text);
  } catch {
    throw invalid();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid();
  return value as Readonly<Record<string, unknown>>;
}

function invalid(): PlinthError {
  return plinthError("InvalidArgument", { detail: "The argument of a fetch is not well-formed." });
}

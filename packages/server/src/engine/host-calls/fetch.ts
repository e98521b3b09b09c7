/** fetch of actions, through the host's one egress guard. */
import { PlinthError } from "@plinth/core/errors.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import { OUTGOING, type HostCall } from "./host-call.ts";
import { choiceOf, parseCall, textOf, wrong, type Fields } from "./parse-call.ts";

export const fetchCall: HostCall = {
  kinds: OUTGOING,
  perform: async (frame, argText) => {
    const { parts } = frame.options.core;
    const request = parseFetch(parseCall("plinth/fetch", argText));
    const { accepted } = frame.options.run;
    try {
      const response = await parts.egress.fetch(request, {
        tenant: accepted.scope.tenant,
        invocation: accepted.id,
        signal: frame.childSignal(),
      });
      parts.telemetry.metrics.fetched("ok");
      return JSON.stringify(response);
    } catch (error) {
      parts.telemetry.metrics.fetched(error instanceof PlinthError && error.code === "FetchRefused" ? "refused" : "failed");
      throw error;
    }
  },
};

function parseFetch(fields: Fields): FetchRequest {
  const bodyBase64 = fields.get("bodyBase64");
  if (bodyBase64 !== null && typeof bodyBase64 !== "string") throw wrong("bodyBase64", "a text or null");
  return {
    url: textOf(fields, "url"),
    method: textOf(fields, "method"),
    headers: parseHeaders(fields.get("headers")),
    bodyBase64,
    redirect: choiceOf(fields, "redirect", ["follow", "error", "manual"]),
  };
}

function parseHeaders(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) throw wrong("headers", "a list of pairs");
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrong("headers", "a list of pairs");
    const [name, text]: readonly unknown[] = pair;
    if (typeof name !== "string" || typeof text !== "string") throw wrong("headers", "a list of pairs of texts");
    return [name, text] as const;
  });
}

/** fetch of actions, through the host's one egress guard. */
import { PlinthError } from "@plinth/core/errors.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { Fetched } from "../../sandbox/egress.ts";
import type { CallBodies } from "../call-bodies.ts";
import { calledBack } from "../cause-depth.ts";
import type { CallRun } from "../call-run.ts";
import type { EngineParts } from "../parts.ts";
import { isHandlerPath } from "../function-address.ts";
import { inSpan } from "../trace-call.ts";
import { OUTGOING, type HostCall } from "./host-call.ts";
import { choiceOf, parseCall, textOf, wrong, type Fields } from "./parse-call.ts";

export const fetchCall: HostCall = {
  kinds: OUTGOING,
  perform: async (frame, argText) => {
    const { parts } = frame.options.core;
    const request = parseFetch(parseCall("plinth/fetch", argText));
    return JSON.stringify(await fetchFor(frame.options.run, { parts, request, signal: frame.childSignal() }));
  },
};

/** A request of a call, counted for it. */
export async function fetchFor(
  run: CallRun,
  {
    parts,
    request,
    signal,
    bodies,
  }: { readonly parts: EngineParts; readonly request: FetchRequest; readonly signal: AbortSignal; readonly bodies?: CallBodies },
): Promise<Fetched> {
  const { scope, id } = run.accepted;
  const callback = isHandlerPath(run.accepted.path) ? await parts.apiUrl : undefined;
  const sent = callback === undefined ? request : calledBack(request, { actor: run.accepted.request.actor, callback });
  run.egressBytes += Math.floor(((request.bodyBase64?.length ?? 0) * 3) / 4) + (bodies?.sent?.bytes ?? 0);
  try {
    const response = await inSpan(parts, run, "plinth.fetch", () =>
      parts.egress.fetch(sent, {
        ...{ tenant: scope.tenant, invocation: id, signal },
        ...(callback === undefined ? {} : { callback }),
        ...(bodies === undefined ? {} : { bodies }),
      }),
    );
    run.egressBytes += Math.floor((response.bodyBase64.length * 3) / 4) + (response.stored?.bytes ?? 0);
    parts.telemetry.metrics.fetched("ok");
    return response;
  } catch (error) {
    parts.telemetry.metrics.fetched(error instanceof PlinthError && error.code === "FetchRefused" ? "refused" : "failed");
    throw error;
  }
}

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

/**
 * How deep a call stands in what code of the tenant has caused: events that automations ran for, and calls that functions made of the
 * host's own API. Automations that answer to their own changes, by whichever way, end at `causeDepthMax` (LoopDetected).
 *
 * C1 The depth goes with the actor into whatever the call causes: children, stored calls, scheduled functions, and the events of its
 *    transaction.
 * C2 A delivery stands one below its event, a call back one below the function that makes it. The host puts the header on requests of
 *    functions itself, so code cannot leave it out. Who sends the header from outside makes nothing but their own call deeper.
 * C3 What is put off for `causeForgottenMs` begins anew: code that wakes itself now and then is no loop. Nor is what people replay.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { Actor } from "./invocation.ts";

const HEADER = "x-plinth-cause-depth";

export function checkCauseDepth({ causeDepth = 0 }: Actor): void {
  const max = limit("causeDepthMax");
  if (causeDepth > max) throw plinthError("LoopDetected", { depth: causeDepth, max });
}

/** C1 */
export function atDepth(actor: Actor, causeDepth: number | undefined): Actor {
  return causeDepth === undefined || causeDepth === 0 ? actor : { ...actor, causeDepth };
}

/** C3 */
export function depthAfter(causeDepth: number | undefined, delayMs: number): { readonly causeDepth?: number } {
  return causeDepth === undefined || causeDepth === 0 || delayMs >= limit("causeForgottenMs") ? {} : { causeDepth };
}

/** C2: of a request to a door. */
export function causeDepthOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): number {
  const text = headers[HEADER];
  if (text === undefined) return 0;
  return typeof text === "string" && /^\d{1,4}$/.test(text) ? Number(text) : limit("causeDepthMax") + 1;
}

/** C2: a request of a function, as it leaves for the host's own API. */
export function calledBack(request: FetchRequest, { actor, callback }: { readonly actor: Actor; readonly callback: string }): FetchRequest {
  if (URL.parse(request.url)?.origin !== new URL(callback).origin) return request;
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== HEADER);
  return { ...request, headers: [...headers, [HEADER, String((actor.causeDepth ?? 0) + 1)]] };
}

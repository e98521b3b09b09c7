/**
 * Calls of the REST interface that snap-ins call back: `/<object>.<verb>`, with the arguments in the query or as a JSON object.
 * What is about the platform itself is a `FacadeCall` here; everything else is a function of the branch.
 */
import type { Caller, DoorContext } from "../door.ts";
import type { JsonObject } from "../request-body.ts";

/** What a call asks for; hostile. */
export interface FacadeRequest {
  readonly caller: Caller;
  readonly args: JsonObject;
  readonly signal: () => AbortSignal;
}

export interface FacadeCall {
  /** `<object>:<permission>` that a token needs; null where the call checks for itself. */
  readonly scope: string | null;
  /** Returns what is sent, JSON. */
  readonly handle: (context: DoorContext, request: FacadeRequest) => Promise<unknown>;
}

/**
 * The one way out: every HTTP request that the host makes for somebody's code or configuration goes through
 * `createEgress(...).fetch`. This file is the contract; the implementation stands in `egress/`.
 */
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallBodies, StoredBody } from "../engine/call-bodies.ts";

export interface EgressPolicy {
  /** Private, loopback and metadata addresses stay refused unless listed here as `host:port` (tests, operators). */
  readonly allowedPrivate: readonly string[];
  /** Ports that may be reached besides 80 and 443. */
  readonly allowedPorts: readonly number[];
}

/** With a body that was stored, `bodyBase64` is empty. */
export interface Fetched extends FetchResponse {
  readonly stored?: StoredBody;
}

export interface Egress {
  /** Performs a request of user code. Rejects with FetchRefused, FetchFailed, LimitExceeded or InvalidArgument. */
  fetch(
    request: FetchRequest,
    context: {
      readonly tenant: string;
      readonly invocation: string;
      readonly signal: AbortSignal;
      /** Origin of the host's own API, for packages: their contract is to call it back, with the tokens that they get. */
      readonly callback?: string;
      /** Bodies that do not pass through memory. */
      readonly bodies?: CallBodies;
    },
  ): Promise<Fetched>;
  close(): Promise<void>;
}

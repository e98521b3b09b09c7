/**
 * The egress guard: the one code path by which a request leaves the host.
 *
 * E1 A connection is opened only to an address that was checked for this very hop; the name is resolved
 *    once, and the socket's own word for its peer is compared with the checked address.
 * E2 All addresses of a name must be public, unless the operator listed that host and port.
 * E3 Every redirect goes through the same checks as the first address.
 * E4 Nothing in a request can change framing, TLS verification or the peer.
 * E5 Whatever a request takes (time, bytes, places) is bounded and given back at its end, however it ends.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { Socket } from "node:net";
import type { Runtime } from "../../runtime/runtime.ts";
import type { CallBodies } from "../../engine/call-bodies.ts";
import type { Egress, EgressPolicy, Fetched } from "../egress.ts";
import { connectTo } from "./connect.ts";
import { exchange, type ReceivedResponse } from "./exchange.ts";
import { failed } from "./fetch-errors.ts";
import { FetchGate, type FetchPass } from "./fetch-gate.ts";
import { followRedirect, redirectLocation } from "./redirect.ts";
import { checkRequest, type Outgoing } from "./request-rules.ts";
import { resolveTarget, SystemResolver, interfaceAddresses, type Resolver } from "./resolve.ts";
import { parseTarget, type Target } from "./target.ts";

export interface EgressOptions {
  readonly policy: EgressPolicy;
  readonly runtime: Runtime;
  /** DNS of the system unless given. */
  readonly resolver?: Resolver;
  /** Addresses of the host itself, which are refused; those of its network interfaces unless given. */
  readonly ownAddresses?: () => readonly string[];
  /** Certificate authorities (PEM) that are trusted besides those of Node, for services of the operator. */
  readonly authorities?: readonly string[];
}

type FetchContext = Parameters<Egress["fetch"]>[1];

/** One step of a fetch: where it goes, and what is sent there. */
interface Hop {
  readonly target: Target;
  readonly outgoing: Outgoing;
}

/** What is the same for all hops of a fetch. */
interface Way {
  readonly mode: FetchRequest["redirect"];
  readonly signal: AbortSignal;
  readonly pass: FetchPass;
  readonly bodies: CallBodies | undefined;
}

export function createEgress(options: EgressOptions): Egress {
  return new GuardedEgress(options);
}

class GuardedEgress implements Egress {
  readonly #policy: EgressPolicy;
  readonly #runtime: Runtime;
  readonly #resolver: Resolver;
  readonly #ownAddresses: () => readonly string[];
  readonly #authorities: readonly string[];
  readonly #gate = new FetchGate();
  readonly #closed = new AbortController();
  readonly #open = new Set<Promise<Fetched>>();

  constructor(options: EgressOptions) {
    this.#policy = options.policy;
    this.#runtime = options.runtime;
    this.#ownAddresses = options.ownAddresses ?? interfaceAddresses;
    this.#authorities = options.authorities ?? [];
    this.#resolver = options.resolver ?? new SystemResolver({ timeoutMs: limit("fetchConnectMsMax") / 2 });
  }

  async fetch(request: FetchRequest, context: FetchContext): Promise<Fetched> {
    const work = this.#fetch(request, context);
    this.#open.add(work);
    try {
      return await work;
    } finally {
      this.#open.delete(work);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#resolver.close();
    await Promise.allSettled(this.#open);
  }

  async #fetch(request: FetchRequest, context: FetchContext): Promise<Fetched> {
    const first: Hop = {
      target: parseTarget(request.url, this.#policyFor(context)),
      outgoing: checkRequest(request, context.bodies?.sent),
    };
    const scope = new Scope(request.url, [context.signal, this.#closed.signal]);
    try {
      const { tenant, invocation } = context;
      const pass = await this.#gate.enter({ tenant, invocation, bytes: heldBytes(first.outgoing.body), signal: scope.signal });
      try {
        return await this.#follow(first, { mode: request.redirect, signal: scope.signal, pass, bodies: context.bodies });
      } finally {
        pass.leave();
      }
    } finally {
      scope.end();
    }
  }

  /** Only for where a request goes first: a redirect to the host's own API is refused as ever. */
  #policyFor({ callback }: FetchContext): EgressPolicy {
    if (callback === undefined) return this.#policy;
    const { host, port, protocol } = new URL(callback);
    const own = port === "" ? `${host}:${protocol === "https:" ? 443 : 80}` : host;
    return { ...this.#policy, allowedPrivate: [...this.#policy.allowedPrivate, own] };
  }

  async #follow(first: Hop, way: Way): Promise<Fetched> {
    const { mode } = way;
    const redirectsMax = limit("fetchRedirectsMax");
    let hop = first;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#exchange(hop, way);
      const location = redirectLocation(response.status, response.headers);
      if (location === undefined || mode === "manual") return toFetchResponse(hop.target, response, redirects > 0);
      if (mode === "error") throw failed(hop.target.url, "the server redirects, and the call asked for an error then");
      if (redirects === redirectsMax)
        throw plinthError("LimitExceeded", { what: "Redirects of a fetch", actual: redirects + 1, max: redirectsMax });
      hop = followRedirect(hop, { status: response.status, location, policy: this.#policy });
    }
  }

  async #exchange(hop: Hop, { mode, signal, pass, bodies }: Way): Promise<ReceivedResponse> {
    const socket = await this.#connect(hop.target, signal);
    return exchange(hop.target, hop.outgoing, socket, {
      signal,
      skipRedirectBody: mode !== "manual",
      reserve: (bytes) => pass.reserve(bytes),
      ...(bodies === undefined ? {} : { bodies }),
    });
  }

  /** Resolves and connects, both within the time that a connection may take. */
  async #connect(target: Target, signal: AbortSignal): Promise<Socket> {
    const maxMs = limit("fetchConnectMsMax");
    const scope = new Scope(target.url, [signal]);
    const timer = this.#runtime.timer(maxMs, () => scope.abort(failed(target.url, `no connection within ${maxMs} ms`)));
    try {
      const addresses = await scope.race(resolveTarget(target, { resolver: this.#resolver, ownAddresses: this.#ownAddresses }));
      return await connectTo(target, addresses, { authorities: this.#authorities, runtime: this.#runtime, signal: scope.signal });
    } finally {
      timer.cancel();
      scope.end();
    }
  }
}

/** A signal that follows others and whose reason is always an error of the registry. */
class Scope {
  readonly #controller = new AbortController();
  readonly #parents: readonly AbortSignal[];
  readonly #onAbort: () => void;

  constructor(url: URL | string, parents: readonly AbortSignal[]) {
    this.#parents = parents;
    this.#onAbort = () => {
      const reason: unknown = parents.find((parent) => parent.aborted)?.reason;
      this.abort(reason instanceof PlinthError ? reason : failed(url, "the call that made it has ended"));
    };
    for (const parent of parents) parent.addEventListener("abort", this.#onAbort, { once: true });
    if (parents.some((parent) => parent.aborted)) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: PlinthError): void {
    this.#controller.abort(reason);
  }

  /** Settles with `work`, or with the reason of the signal when that comes first. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(this.signal.reason);
    this.signal.addEventListener("abort", onAbort, { once: true });
    if (this.signal.aborted) onAbort();
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", onAbort);
    }
  }

  end(): void {
    for (const parent of this.#parents) parent.removeEventListener("abort", this.#onAbort);
  }
}

function toFetchResponse(target: Target, response: ReceivedResponse, redirected: boolean): Fetched {
  const url = new URL(target.url);
  url.hash = "";
  const { status, statusText, headers, body, stored } = response;
  const about = { url: url.href, status, statusText, headers, redirected, bodyBase64: body.toString("base64") };
  return stored === undefined ? about : { ...about, stored };
}

/** A stored body is read as it is sent. */
function heldBytes(body: Outgoing["body"]): number {
  return Buffer.isBuffer(body) ? body.length : 0;
}

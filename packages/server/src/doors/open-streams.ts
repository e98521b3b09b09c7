/** Counts the open event streams of each tenant, and ends them when their key is revoked, their branch ends or the host stops. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { Caller } from "./door.ts";

export class OpenStreams {
  readonly #byTenant = new Map<string, Set<OpenStream>>();
  #closed = false;

  /** Takes a place for a stream, or throws when the tenant has too many. */
  open(caller: Caller): { readonly signal: AbortSignal; abort(): void; close(): void } {
    if (this.#closed) throw plinthError("ShuttingDown", {});
    const tenant = caller.scope.tenant;
    const streams = this.#byTenant.get(tenant) ?? new Set();
    const max = limit("streamsPerTenantMax");
    if (streams.size >= max) throw plinthError("TooManyConcurrentRequests", { detail: `the tenant has ${max} open event streams` });
    const stream: OpenStream = { abort: new AbortController(), keyId: caller.actor.keyId, branch: caller.scope.branch };
    this.#byTenant.set(tenant, streams.add(stream));
    return {
      signal: stream.abort.signal,
      abort: () => stream.abort.abort(),
      close: () => {
        streams.delete(stream);
        if (streams.size === 0 && this.#byTenant.get(tenant) === streams) this.#byTenant.delete(tenant);
        stream.abort.abort();
      },
    };
  }

  get count(): number {
    let count = 0;
    for (const streams of this.#byTenant.values()) count += streams.size;
    return count;
  }

  endOfKey(keyId: string): void {
    this.#abortWhere((stream) => stream.keyId === keyId);
  }

  endOfTenant(tenant: string): void {
    for (const stream of this.#byTenant.get(tenant) ?? []) stream.abort.abort();
  }

  endOfBranch({ tenant, branch }: Scope): void {
    for (const stream of this.#byTenant.get(tenant) ?? []) if (stream.branch === branch) stream.abort.abort();
  }

  /** Ends all streams and refuses new ones. */
  shutDown(): void {
    this.#closed = true;
    this.#abortWhere(() => true);
  }

  #abortWhere(condition: (stream: OpenStream) => boolean): void {
    for (const streams of this.#byTenant.values()) {
      for (const stream of streams) if (condition(stream)) stream.abort.abort();
    }
  }
}

interface OpenStream {
  readonly abort: AbortController;
  readonly keyId: string | undefined;
  readonly branch: string;
}

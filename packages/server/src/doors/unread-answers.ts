/**
 * Bounds the memory of answers that their clients do not read: an answer is made in one piece, and lies in memory until the other end
 * has taken it.
 *
 * U1 Answers of a tenant that are not read yet are bounded together, and those of all tenants. What would pass the bound is refused.
 * U2 A client that takes nothing of an answer for `answerStallMs` is cut off.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";

type Response = ServerResponse | Http2ServerResponse;

/** The kernel takes at once what is shorter. */
const SMALL_BYTES = limit("answerSmallBytes");

const nothing = (): void => undefined;

export class UnreadAnswers {
  readonly #stallMs: number;
  readonly #byTenant = new Map<string, number>();
  readonly #watched = new WeakSet<Response>();
  #bytes = 0;

  constructor(stallMs = limit("answerStallMs")) {
    this.#stallMs = stallMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that are about to be written, until they are read (call what is returned) or the response is over. U1: throws. */
  hold(response: Response, { tenant, bytes }: { readonly tenant: string; readonly bytes: number }): () => void {
    if (bytes < SMALL_BYTES) return nothing;
    const own = this.#byTenant.get(tenant) ?? 0;
    if (own + bytes > limit("unreadTenantBytesMax") || this.#bytes + bytes > limit("unreadBytesMax"))
      throw plinthError("TooManyConcurrentRequests", { detail: "answers that nobody reads fill the memory for them" });
    this.#byTenant.set(tenant, own + bytes);
    this.#bytes += bytes;
    this.#watch(response);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#bytes -= bytes;
      const left = (this.#byTenant.get(tenant) ?? bytes) - bytes;
      if (left === 0) this.#byTenant.delete(tenant);
      else this.#byTenant.set(tenant, left);
    };
    response.once("close", release);
    return () => {
      release();
      response.off("close", release);
      if (!response.writableEnded) response.setTimeout(0);
    };
  }

  /** U2. What is read bit by bit begins the time anew. */
  #watch(response: Response): void {
    if (!this.#watched.has(response)) {
      this.#watched.add(response);
      response.once("timeout", () => response.destroy());
    }
    response.setTimeout(this.#stallMs);
  }
}

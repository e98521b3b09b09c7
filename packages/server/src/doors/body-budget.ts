/**
 * Bounds the memory that bodies of requests take together: a body that could pass the bound is refused before it is
 * read. A body of unknown length counts as the largest that its route takes. Requests without a credential have a
 * part of it: who announces large bodies and never sends them needs no key, and locks out nobody who has one. Requests
 * of each tenant's keys have a part too, and lock out no other tenant's.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "./door.ts";

/** The tenant whose credential a request brings. Names of tenants are not empty. */
export type BodyOwner = string;
export const ANONYMOUS: BodyOwner = "";

export interface BodyParts {
  readonly anonymousBytesMax?: number;
  readonly tenantBytesMax?: number;
}

/** Whose part the body of a caller's request is of. */
export function bodyOwner({ actor, scope }: Pick<Caller, "actor" | "scope">): BodyOwner {
  return actor.kind === "anonymous" ? ANONYMOUS : scope.tenant;
}

export class BodyBudget {
  readonly #bytesMax: number;
  readonly #anonymousBytesMax: number;
  readonly #tenantBytesMax: number;
  #bytes = 0;
  /** By tenant; those without a credential by `ANONYMOUS`. */
  readonly #parts = new Map<string, number>();

  constructor(bytesMax: number, { anonymousBytesMax = bytesMax, tenantBytesMax = bytesMax }: BodyParts = {}) {
    this.#bytesMax = bytesMax;
    this.#anonymousBytesMax = anonymousBytesMax;
    this.#tenantBytesMax = tenantBytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes room for bytes as they come, of a body whose length nobody said, until the response is over. */
  holder(response: EventEmitter, owner: BodyOwner): (bytes: number) => void {
    let held = 0;
    response.once("close", () => {
      this.#hold(owner, -held);
      held = 0;
    });
    return (bytes) => {
      this.#check(owner, bytes);
      this.#hold(owner, bytes);
      held += bytes;
    };
  }

  /** Takes room for the request's body until the response is over, however it ends. */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    { bodyBytesMax, owner }: { readonly bodyBytesMax: number; readonly owner: BodyOwner },
  ): void {
    const bytes = bodyBytes(request, bodyBytesMax);
    // Of a client that went away while its credential was checked, nothing is read and no close will come.
    if (bytes === 0 || response.closed) return;
    this.#check(owner, bytes);
    this.#hold(owner, bytes);
    response.once("close", () => this.#hold(owner, -bytes));
  }

  #check(owner: BodyOwner, bytes: number): void {
    const partMax = owner === ANONYMOUS ? this.#anonymousBytesMax : this.#tenantBytesMax;
    if (this.#bytes + bytes > this.#bytesMax || (this.#parts.get(owner) ?? 0) + bytes > partMax) throw full();
  }

  #hold(owner: BodyOwner, bytes: number): void {
    this.#bytes += bytes;
    const part = (this.#parts.get(owner) ?? 0) + bytes;
    if (part === 0) this.#parts.delete(owner);
    else this.#parts.set(owner, part);
  }
}

function bodyBytes(request: IncomingMessage, bodyBytesMax: number): number {
  if (request.headers["transfer-encoding"] !== undefined) return bodyBytesMax;
  // A wrong or larger length is refused by the server itself.
  const length = Number(request.headers["content-length"] ?? 0);
  return Number.isFinite(length) && length > 0 ? Math.min(length, bodyBytesMax) : 0;
}

function full() {
  return plinthError("TooManyConcurrentRequests", { detail: "requests with large bodies fill the memory for them" });
}

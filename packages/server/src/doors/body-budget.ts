/**
 * Bounds the memory that bodies of requests take together: a body that could pass the bound is refused before it is
 * read. A body of unknown length counts as the largest that its route takes. Requests without a credential have a
 * part of it: who announces large bodies and never sends them needs no key, and locks out nobody who has one.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

export class BodyBudget {
  readonly #bytesMax: number;
  readonly #anonymousBytesMax: number;
  #bytes = 0;
  #anonymousBytes = 0;

  constructor(bytesMax: number, anonymousBytesMax = bytesMax) {
    this.#bytesMax = bytesMax;
    this.#anonymousBytesMax = anonymousBytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes room for bytes as they come, of a body whose length nobody said, until the response is over. */
  holder(response: EventEmitter): (bytes: number) => void {
    let held = 0;
    response.once("close", () => {
      this.#bytes -= held;
      held = 0;
    });
    return (bytes) => {
      this.#check(bytes);
      this.#bytes += bytes;
      held += bytes;
    };
  }

  /** Takes room for the request's body until the response is over, however it ends. */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    { bodyBytesMax, isAnonymous = false }: { readonly bodyBytesMax: number; readonly isAnonymous?: boolean },
  ): void {
    const bytes = bodyBytes(request, bodyBytesMax);
    // Of a client that went away while its credential was checked, nothing is read and no close will come.
    if (bytes === 0 || response.closed) return;
    this.#check(bytes);
    if (isAnonymous && this.#anonymousBytes + bytes > this.#anonymousBytesMax) throw full();
    const anonymousBytes = isAnonymous ? bytes : 0;
    this.#bytes += bytes;
    this.#anonymousBytes += anonymousBytes;
    response.once("close", () => {
      this.#bytes -= bytes;
      this.#anonymousBytes -= anonymousBytes;
    });
  }

  #check(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) throw full();
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

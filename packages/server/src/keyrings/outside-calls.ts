/**
 * Requests of keyrings to other systems: made from the type's templates, sent through the egress guard, bounded in time and bytes.
 * What goes wrong is told with a status and a reason of Plinth's own, never with text of the other system.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import type { HttpCallSpec } from "@plinth/core/manifest/manifest.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Egress } from "../sandbox/egress.ts";
import type { CheckFetch } from "./check-runner.ts";
import { fillHeader, fillText, fillUrl, type PlaceholderValues } from "./placeholders.ts";

/** An answer of another system: hostile text. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Who a request is made for. */
export interface CallSubject {
  readonly tenant: string;
  /** Id of the keyring: its requests share the places of one invocation. */
  readonly keyring: string;
  /** How the requests leave where they are a part of an invocation. */
  readonly fetch?: CheckFetch;
}

export class OutsideCalls {
  readonly #egress: Egress;
  readonly #runtime: Runtime;
  readonly #closed = new AbortController();

  constructor(options: { readonly egress: Egress; readonly runtime: Runtime }) {
    this.#egress = options.egress;
    this.#runtime = options.runtime;
  }

  /** Performs the request; rejects with KeyringUnavailable when no answer arrives whole and in time. */
  async send(subject: CallSubject, request: FetchRequest): Promise<Answer> {
    const cut = new AbortController();
    const timer = this.#runtime.timer(limit("keyringRequestMsMax"), () => cut.abort());
    try {
      const signal = AbortSignal.any([cut.signal, this.#closed.signal]);
      const response = await (subject.fetch === undefined
        ? this.#egress.fetch(request, { tenant: subject.tenant, invocation: `keyring ${subject.keyring}`, signal })
        : Promise.race([subject.fetch(request), aborted(signal)]));
      const body = Buffer.from(response.bodyBase64, "base64");
      if (body.length > limit("keyringResponseBytesMax")) throw unavailable("its answer is too large");
      return { status: response.status, text: body.toString("utf8") };
    } catch (error) {
      throw describe(error, cut.signal.aborted);
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#closed.abort();
  }
}

/**
 * The request of a template. Parameters travel in the body where a form or JSON is declared or `parametersIn` says so, since
 * addresses are written into logs of others.
 */
export function fillRequest(
  call: HttpCallSpec,
  values: PlaceholderValues,
  options: { readonly parametersIn: "url" | "body" } = { parametersIn: "url" },
): FetchRequest {
  const url = fillUrl(call.url, values);
  const method = call.method.toUpperCase();
  const headers = Object.entries(call.headers).map(([name, value]): [string, string] => [name.toLowerCase(), fillHeader(value, values)]);
  const parameters = Object.entries(call.queryParameters).map(([name, value]): [string, string] => [name, fillText(value, values)]);
  if (!headers.some(([name]) => name === "accept")) headers.push(["accept", "application/json"]);
  const declared = headers.find(([name]) => name === "content-type")?.[1].toLowerCase() ?? "";
  const hasBody = method === "POST" || method === "PUT" || method === "PATCH";
  const inBody = hasBody && parameters.length > 0 && (options.parametersIn === "body" || /json|form-urlencoded/.test(declared));
  if (!inBody) for (const [name, value] of parameters) url.searchParams.set(name, value);
  const body = !inBody
    ? null
    : declared.includes("json")
      ? JSON.stringify(Object.fromEntries(parameters))
      : new URLSearchParams(parameters).toString();
  if (body !== null && declared === "") headers.push(["content-type", "application/x-www-form-urlencoded"]);
  return {
    url: url.href,
    method,
    headers,
    bodyBase64: body === null ? null : Buffer.from(body).toString("base64"),
    // What carries secrets in its body is not repeated elsewhere; the guard keeps headers from other origins.
    redirect: method === "GET" || method === "HEAD" ? "follow" : "error",
  };
}

/** The JSON of an answer, within the bounds of its nesting and values; undefined when it is none. */
export function jsonOf(answer: Answer): unknown {
  try {
    scanJsonText(answer.text, { depthMax: limit("valueDepthMax"), what: "answer of another system" });
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(unavailable("the request was cut off")), { once: true });
  return promise;
}

function describe(error: unknown, late: boolean): PlinthError {
  if (late) return unavailable(`no answer within ${limit("keyringRequestMsMax")} ms`);
  if (!(error instanceof PlinthError)) return unavailable("the request failed", error);
  switch (error.code) {
    case "KeyringUnavailable":
      return error;
    case "FetchRefused":
    case "InvalidArgument":
      // The guard's message shows an address without its query; its path may hold a value all the same.
      return plinthError("KeyringTypeWrong", {
        detail: "a request of the keyring type is refused: its address is not public or not allowed, or its headers are not valid",
      });
    case "LimitExceeded":
      return unavailable("a limit of requests or answers is reached");
    default:
      return unavailable("no connection, or the answer ended early");
  }
}

function unavailable(detail: string, cause?: unknown): PlinthError {
  return plinthError("KeyringUnavailable", { detail }, cause === undefined ? undefined : { cause });
}

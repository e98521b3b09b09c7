/** Errors as clients of the contract read them: `{type, message, debug_message}`, with what Plinth knows beside it. */
import type { PlinthError } from "@plinth/core/errors.ts";

export interface ErrorBody {
  readonly status: number;
  readonly body: { readonly type: string; readonly message: string; readonly debug_message: string; readonly code: string };
}

const TYPES: Readonly<Record<number, string>> = {
  400: "bad_request",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "bad_request",
  429: "too_many_requests",
  503: "service_unavailable",
};

/** A ConvexError of a function with `{status, message}` is what the function says; any other failure of it is an internal error. */
export function errorBody(error: PlinthError, { redact }: { readonly redact: boolean }): ErrorBody {
  const said = error.code === "FunctionError" ? ofFunction(error.dataText) : undefined;
  if (said !== undefined) return said;
  const isOfFunction = error.spec.fault === "function";
  const status = isOfFunction ? 500 : error.spec.status;
  const message = isOfFunction && redact ? "The function of this call failed." : error.message;
  return {
    status,
    body: { type: TYPES[status] ?? "internal_error", message, debug_message: isOfFunction && redact ? "" : error.next, code: error.code },
  };
}

function ofFunction(dataText: string | undefined): ErrorBody | undefined {
  if (dataText === undefined) return undefined;
  const data: unknown = JSON.parse(dataText);
  if (typeof data !== "object" || data === null) return undefined;
  const { status, type, message } = data as Readonly<Record<string, unknown>>;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 400 || status > 499 || typeof message !== "string")
    return undefined;
  const name = typeof type === "string" ? type : (TYPES[status] ?? "bad_request");
  return { status, body: { type: name, message, debug_message: "", code: "FunctionError" } };
}

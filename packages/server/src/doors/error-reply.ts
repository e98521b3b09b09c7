/** Turns whatever was thrown into the answer that a caller may see: `{code, message, next}` and nothing else. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type DoorContext, type TextReply } from "./door.ts";

/** The registered error that a failure stands for. What is not registered is logged and becomes an id. */
export function registeredError(context: Pick<DoorContext, "log" | "runtime">, thrown: unknown): PlinthError {
  if (thrown instanceof PlinthError) {
    if (thrown.cause !== undefined && thrown.spec.fault === "platform")
      context.log.error({ err: thrown, cause: describe(thrown.cause) }, "a platform error was reported");
    return thrown;
  }
  const id = Buffer.from(context.runtime.randomBytes(8)).toString("hex");
  context.log.error({ errorId: id, cause: describe(thrown) }, "an internal error happened");
  return plinthError("InternalError", { id });
}

export function errorReply(error: PlinthError): TextReply {
  const headers = error.spec.status === 429 || error.spec.status === 503 ? { "retry-after": retryAfter(error) } : undefined;
  return jsonReply({ code: error.code, message: error.message, next: error.next }, error.spec.status, headers);
}

/** Whole seconds. */
function retryAfter({ waitMs = 0 }: PlinthError): string {
  return String(Math.max(1, Math.ceil(waitMs / 1000)));
}

/** The registered error for a failure of the HTTP library, by its code; undefined for anything else. */
export function httpLibraryError(thrown: unknown, bodyBytesMax: number): PlinthError | undefined {
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return plinthError("RequestTooLarge", { what: "body", actual: "more bytes", max: `${bodyBytesMax} bytes` });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return plinthError("BadRequest", { detail: "The body's length is not the one in `Content-Length`." });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_INVALID_TYPE":
      return plinthError("BadRequest", { detail: "`Content-Type` cannot be read; send `application/json`." });
    case "FST_ERR_BAD_URL":
      return plinthError("BadRequest", { detail: "The URL is not properly percent-encoded UTF-8." });
    case "FST_ERR_PARAM_TOO_LONG":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return plinthError("RequestTooLarge", { what: "path", actual: "a longer part", max: limit("requestHeaderBytesMax") });
    case "HPE_HEADER_OVERFLOW":
      return plinthError("RequestTooLarge", {
        what: "header section",
        actual: "more bytes",
        max: `${limit("requestHeaderBytesMax")} bytes`,
      });
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return plinthError("BadRequest", { detail: "The request did not arrive in time." });
    default:
      return code.startsWith("HPE_") ? plinthError("BadRequest", { detail: "This is not valid HTTP." }) : undefined;
  }
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

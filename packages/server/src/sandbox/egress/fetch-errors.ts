import { plinthError, type PlinthError } from "@plinth/core/errors.ts";

/**
 * An address as it may be shown in errors and logs: without user name, password, query and fragment,
 * since all of them carry secrets, and of bounded length.
 */
export function shownUrl(url: URL | string): string {
  const parsed = typeof url === "string" ? URL.parse(url) : url;
  // The text of what is no URL is not repeated: it may be anything, a password included.
  const text = parsed === null ? "an invalid URL" : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

export function refused(url: URL | string, detail: string): PlinthError {
  return plinthError("FetchRefused", { url: shownUrl(url), detail });
}

export function failed(url: URL | string, detail: string, cause?: unknown): PlinthError {
  return plinthError("FetchFailed", { url: shownUrl(url), detail }, { cause });
}

/** The code of a system, TLS or HTTP error; its message may hold addresses and paths of the host. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code) ? code : "unknown error";
}

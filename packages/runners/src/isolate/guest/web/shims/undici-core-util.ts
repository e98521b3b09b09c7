/** The few functions that undici's fetch classes take from its core, which otherwise is an HTTP client. */
import { isDisturbed as isStreamDisturbed } from "./node-stream.ts";

export const kEnumerableProperty = Object.freeze({ enumerable: true });

export function isDisturbed(body: unknown): boolean {
  return isStreamDisturbed(body);
}

export function isValidHTTPToken(characters: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(characters);
}

export function bufferToLowerCasedHeaderName(value: { toString(encoding: "latin1"): string }): string {
  return value.toString("latin1").toLowerCase();
}

/** `__proto__` is a valid name of a header and has to stay an ordinary one. */
export function setHeader(headers: object, name: string, value: unknown): void {
  Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
}

const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

export const normalizedMethodRecordsBase: Readonly<Record<string, string>> = Object.assign(
  Object.create(null),
  Object.fromEntries(
    METHODS.flatMap((method) => [
      [method.toLowerCase(), method],
      [method, method],
    ]),
  ),
);

export const normalizedMethodRecords: Readonly<Record<string, string>> = Object.assign(Object.create(null), normalizedMethodRecordsBase, {
  patch: "patch",
  PATCH: "PATCH",
});

export function addAbortListener(
  signal: {
    addEventListener(type: string, listener: () => void, options: object): void;
    removeEventListener(type: string, listener: () => void): void;
  },
  listener: () => void,
): () => void {
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

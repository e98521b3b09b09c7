/**
 * The web globals of the guest: name → part of `parts.ts` that makes the value when it is first touched.
 * Everything behind `parts.ts` is one function that is not called before. The table holds only texts and has
 * no prototype: a function per name, or an object of the common kind, would cost every context 40 µs.
 */
import type { GuestBridge } from "../bridge.ts";

type Parts = (typeof import("./parts.ts"))["parts"];

declare const require: (path: "./parts.ts") => typeof import("./parts.ts");

export const WEB_GLOBALS: Readonly<Record<string, keyof Parts>> = {
  __proto__: null as never,

  URL: "url",
  URLSearchParams: "url",

  TextEncoder: "encoding",
  TextDecoder: "encoding",
  TextEncoderStream: "encoding",
  TextDecoderStream: "encoding",
  atob: "base64",
  btoa: "base64",

  Headers: "fetchClasses",
  Request: "fetchClasses",
  Response: "fetchClasses",
  FormData: "fetchClasses",
  Blob: "blob",
  File: "blob",
  fetch: "fetch",

  Event: "events",
  EventTarget: "events",
  CustomEvent: "events",
  AbortController: "abort",
  AbortSignal: "abort",
  DOMException: "domException",
  structuredClone: "structuredClone",

  crypto: "crypto",
  Crypto: "crypto",
  SubtleCrypto: "subtle",
  CryptoKey: "subtle",

  ReadableStream: "streams",
  ReadableStreamDefaultReader: "streams",
  ReadableStreamBYOBReader: "streams",
  ReadableStreamDefaultController: "streams",
  ReadableByteStreamController: "streams",
  ReadableStreamBYOBRequest: "streams",
  WritableStream: "streams",
  WritableStreamDefaultWriter: "streams",
  WritableStreamDefaultController: "streams",
  TransformStream: "streams",
  TransformStreamDefaultController: "streams",
  ByteLengthQueuingStrategy: "streams",
  CountQueuingStrategy: "streams",

  setTimeout: "timers",
  clearTimeout: "timers",
  setInterval: "timers",
  clearInterval: "timers",
  queueMicrotask: "timers",
  performance: "performance",

  AsyncLocalStorage: "asyncLocalStorage",
  AsyncResource: "asyncLocalStorage",
};

/** Makes the global of that name, which the table holds. */
export function makeWebGlobal(name: string, bridge: GuestBridge): unknown {
  const { holdBridge, parts } = require("./parts.ts");
  holdBridge(bridge);
  const part = WEB_GLOBALS[name];
  const values: Readonly<Record<string, unknown>> = part === undefined ? {} : parts[part];
  return values[name];
}

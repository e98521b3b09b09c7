/**
 * The web globals of the guest: name → function that makes the value when it is first touched. Everything
 * behind `parts.ts` is one function that is not called before, so a context that touches nothing pays for
 * one closure per name.
 */
import type { GuestBridge, GuestGlobals } from "../bridge.ts";

declare const require: (path: "./parts.ts") => typeof import("./parts.ts");

function touch(bridge: GuestBridge): (typeof import("./parts.ts"))["parts"] {
  const { holdBridge, parts } = require("./parts.ts");
  holdBridge(bridge);
  return parts;
}

export const webGlobals: GuestGlobals = {
  URL: (bridge) => touch(bridge).url.URL,
  URLSearchParams: (bridge) => touch(bridge).url.URLSearchParams,

  TextEncoder: (bridge) => touch(bridge).encoding.TextEncoder,
  TextDecoder: (bridge) => touch(bridge).encoding.TextDecoder,
  TextEncoderStream: (bridge) => touch(bridge).encoding.TextEncoderStream,
  TextDecoderStream: (bridge) => touch(bridge).encoding.TextDecoderStream,
  atob: (bridge) => touch(bridge).base64.atob,
  btoa: (bridge) => touch(bridge).base64.btoa,

  Headers: (bridge) => touch(bridge).fetchClasses.Headers,
  Request: (bridge) => touch(bridge).fetchClasses.Request,
  Response: (bridge) => touch(bridge).fetchClasses.Response,
  FormData: (bridge) => touch(bridge).fetchClasses.FormData,
  Blob: (bridge) => touch(bridge).blob.Blob,
  File: (bridge) => touch(bridge).blob.File,
  fetch: (bridge) => touch(bridge).fetch.fetch,

  Event: (bridge) => touch(bridge).events.Event,
  EventTarget: (bridge) => touch(bridge).events.EventTarget,
  CustomEvent: (bridge) => touch(bridge).events.CustomEvent,
  AbortController: (bridge) => touch(bridge).abort.AbortController,
  AbortSignal: (bridge) => touch(bridge).abort.AbortSignal,
  DOMException: (bridge) => touch(bridge).domException.DOMException,
  structuredClone: (bridge) => touch(bridge).structuredClone.structuredClone,

  crypto: (bridge) => touch(bridge).crypto.crypto,
  Crypto: (bridge) => touch(bridge).crypto.Crypto,
  SubtleCrypto: (bridge) => touch(bridge).subtle.SubtleCrypto,
  CryptoKey: (bridge) => touch(bridge).subtle.CryptoKey,

  ReadableStream: (bridge) => touch(bridge).streams.ReadableStream,
  ReadableStreamDefaultReader: (bridge) => touch(bridge).streams.ReadableStreamDefaultReader,
  ReadableStreamBYOBReader: (bridge) => touch(bridge).streams.ReadableStreamBYOBReader,
  ReadableStreamDefaultController: (bridge) => touch(bridge).streams.ReadableStreamDefaultController,
  ReadableByteStreamController: (bridge) => touch(bridge).streams.ReadableByteStreamController,
  ReadableStreamBYOBRequest: (bridge) => touch(bridge).streams.ReadableStreamBYOBRequest,
  WritableStream: (bridge) => touch(bridge).streams.WritableStream,
  WritableStreamDefaultWriter: (bridge) => touch(bridge).streams.WritableStreamDefaultWriter,
  WritableStreamDefaultController: (bridge) => touch(bridge).streams.WritableStreamDefaultController,
  TransformStream: (bridge) => touch(bridge).streams.TransformStream,
  TransformStreamDefaultController: (bridge) => touch(bridge).streams.TransformStreamDefaultController,
  ByteLengthQueuingStrategy: (bridge) => touch(bridge).streams.ByteLengthQueuingStrategy,
  CountQueuingStrategy: (bridge) => touch(bridge).streams.CountQueuingStrategy,

  setTimeout: (bridge) => touch(bridge).timers.setTimeout,
  clearTimeout: (bridge) => touch(bridge).timers.clearTimeout,
  setInterval: (bridge) => touch(bridge).timers.setInterval,
  clearInterval: (bridge) => touch(bridge).timers.clearInterval,
  queueMicrotask: (bridge) => touch(bridge).timers.queueMicrotask,
  performance: (bridge) => touch(bridge).performance.performance,

  AsyncLocalStorage: (bridge) => touch(bridge).asyncLocalStorage.AsyncLocalStorage,
  AsyncResource: (bridge) => touch(bridge).asyncLocalStorage.AsyncResource,
};

/**
 * The web globals of the guest: name → function that makes the value when it is first touched. A part is
 * evaluated by the first `require` of it and not before; the bundler leaves these calls in place, so a
 * context that touches nothing pays for one closure per name.
 */
import type { GuestBridge, GuestGlobals } from "../bridge.ts";
import { holdBridge } from "./held-bridge.ts";

interface RequirePart {
  (path: "./abort.ts"): typeof import("./abort.ts");
  (path: "./async-local-storage.ts"): typeof import("./async-local-storage.ts");
  (path: "./base64.ts"): typeof import("./base64.ts");
  (path: "./blob.ts"): typeof import("./blob.ts");
  (path: "./crypto.ts"): typeof import("./crypto.ts");
  (path: "./dom-exception.ts"): typeof import("./dom-exception.ts");
  (path: "./encoding.ts"): typeof import("./encoding.ts");
  (path: "./events.ts"): typeof import("./events.ts");
  (path: "./fetch.ts"): typeof import("./fetch.ts");
  (path: "./fetch-classes.ts"): typeof import("./fetch-classes.ts");
  (path: "./performance.ts"): typeof import("./performance.ts");
  (path: "./streams.ts"): typeof import("./streams.ts");
  (path: "./structured-clone.ts"): typeof import("./structured-clone.ts");
  (path: "./subtle.ts"): typeof import("./subtle.ts");
  (path: "./timers.ts"): typeof import("./timers.ts");
  (path: "./url.ts"): typeof import("./url.ts");
}

declare const require: RequirePart;

type Part<Exports> = (bridge: GuestBridge) => Exports;

const abort: Part<typeof import("./abort.ts")> = (bridge) => (holdBridge(bridge), require("./abort.ts"));
const asyncLocalStorage: Part<typeof import("./async-local-storage.ts")> = (bridge) => (holdBridge(bridge), require("./async-local-storage.ts"));
const base64: Part<typeof import("./base64.ts")> = (bridge) => (holdBridge(bridge), require("./base64.ts"));
const blob: Part<typeof import("./blob.ts")> = (bridge) => (holdBridge(bridge), require("./blob.ts"));
const crypto: Part<typeof import("./crypto.ts")> = (bridge) => (holdBridge(bridge), require("./crypto.ts"));
const encoding: Part<typeof import("./encoding.ts")> = (bridge) => (holdBridge(bridge), require("./encoding.ts"));
const events: Part<typeof import("./events.ts")> = (bridge) => (holdBridge(bridge), require("./events.ts"));
const fetchClasses: Part<typeof import("./fetch-classes.ts")> = (bridge) => (holdBridge(bridge), require("./fetch-classes.ts"));
const streams: Part<typeof import("./streams.ts")> = (bridge) => (holdBridge(bridge), require("./streams.ts"));
const timers: Part<typeof import("./timers.ts")> = (bridge) => (holdBridge(bridge), require("./timers.ts"));
const url: Part<typeof import("./url.ts")> = (bridge) => (holdBridge(bridge), require("./url.ts"));

export const webGlobals: GuestGlobals = {
  URL: (bridge) => url(bridge).URL,
  URLSearchParams: (bridge) => url(bridge).URLSearchParams,

  TextEncoder: (bridge) => encoding(bridge).TextEncoder,
  TextDecoder: (bridge) => encoding(bridge).TextDecoder,
  TextEncoderStream: (bridge) => encoding(bridge).TextEncoderStream,
  TextDecoderStream: (bridge) => encoding(bridge).TextDecoderStream,
  atob: (bridge) => base64(bridge).atob,
  btoa: (bridge) => base64(bridge).btoa,

  Headers: (bridge) => fetchClasses(bridge).Headers,
  Request: (bridge) => fetchClasses(bridge).Request,
  Response: (bridge) => fetchClasses(bridge).Response,
  FormData: (bridge) => fetchClasses(bridge).FormData,
  Blob: (bridge) => blob(bridge).Blob,
  File: (bridge) => blob(bridge).File,
  fetch: (bridge) => (holdBridge(bridge), require("./fetch.ts").fetch),

  Event: (bridge) => events(bridge).Event,
  EventTarget: (bridge) => events(bridge).EventTarget,
  CustomEvent: (bridge) => events(bridge).CustomEvent,
  AbortController: (bridge) => abort(bridge).AbortController,
  AbortSignal: (bridge) => abort(bridge).AbortSignal,
  DOMException: (bridge) => (holdBridge(bridge), require("./dom-exception.ts").DOMException),
  structuredClone: (bridge) => (holdBridge(bridge), require("./structured-clone.ts").structuredClone),

  crypto: (bridge) => crypto(bridge).crypto,
  Crypto: (bridge) => crypto(bridge).Crypto,
  SubtleCrypto: (bridge) => (holdBridge(bridge), require("./subtle.ts").SubtleCrypto),
  CryptoKey: (bridge) => (holdBridge(bridge), require("./subtle.ts").CryptoKey),

  ReadableStream: (bridge) => streams(bridge).ReadableStream,
  ReadableStreamDefaultReader: (bridge) => streams(bridge).ReadableStreamDefaultReader,
  ReadableStreamBYOBReader: (bridge) => streams(bridge).ReadableStreamBYOBReader,
  ReadableStreamDefaultController: (bridge) => streams(bridge).ReadableStreamDefaultController,
  ReadableByteStreamController: (bridge) => streams(bridge).ReadableByteStreamController,
  ReadableStreamBYOBRequest: (bridge) => streams(bridge).ReadableStreamBYOBRequest,
  WritableStream: (bridge) => streams(bridge).WritableStream,
  WritableStreamDefaultWriter: (bridge) => streams(bridge).WritableStreamDefaultWriter,
  WritableStreamDefaultController: (bridge) => streams(bridge).WritableStreamDefaultController,
  TransformStream: (bridge) => streams(bridge).TransformStream,
  TransformStreamDefaultController: (bridge) => streams(bridge).TransformStreamDefaultController,
  ByteLengthQueuingStrategy: (bridge) => streams(bridge).ByteLengthQueuingStrategy,
  CountQueuingStrategy: (bridge) => streams(bridge).CountQueuingStrategy,

  setTimeout: (bridge) => timers(bridge).setTimeout,
  clearTimeout: (bridge) => timers(bridge).clearTimeout,
  setInterval: (bridge) => timers(bridge).setInterval,
  clearInterval: (bridge) => timers(bridge).clearInterval,
  queueMicrotask: (bridge) => timers(bridge).queueMicrotask,
  performance: (bridge) => (holdBridge(bridge), require("./performance.ts").performance),

  AsyncLocalStorage: (bridge) => asyncLocalStorage(bridge).AsyncLocalStorage,
  AsyncResource: (bridge) => asyncLocalStorage(bridge).AsyncResource,
};

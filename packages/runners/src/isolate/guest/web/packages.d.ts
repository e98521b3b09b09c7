/** Types of what is taken from packages that have none for it. */
declare module "undici/lib/web/fetch/headers.js" {
  export class Headers {
    constructor(init?: unknown);
    [Symbol.iterator](): Iterator<[string, string]>;
  }
  export class HeadersList {
    append(name: string, value: string, isLowerCase: boolean): void;
  }
}
declare module "undici/lib/web/fetch/formdata.js" {
  export class FormData {}
}
declare module "undici/lib/web/fetch/body.js" {
  export interface Body {
    readonly stream: object;
  }
  export function safelyExtractBody(body: Uint8Array): [Body, string | null];
}
declare module "undici/lib/web/fetch/request.js" {
  import type { Headers } from "undici/lib/web/fetch/headers.js";
  export class Request {
    constructor(input: unknown, init?: unknown);
    readonly url: string;
    readonly method: string;
    readonly headers: Headers & Iterable<[string, string]>;
    readonly redirect: "follow" | "error" | "manual";
    readonly body: object | null;
    readonly signal: {
      readonly reason: unknown;
      throwIfAborted(): void;
      addEventListener(type: "abort", listener: () => void): void;
      removeEventListener(type: "abort", listener: () => void): void;
    };
    bytes(): Promise<Uint8Array>;
  }
}
declare module "undici/lib/web/fetch/response.js" {
  import type { Body } from "undici/lib/web/fetch/body.js";
  import type { HeadersList } from "undici/lib/web/fetch/headers.js";
  export interface InnerResponse {
    readonly urlList: readonly object[];
    readonly status: number;
    readonly statusText: string;
    readonly headersList: HeadersList;
    readonly body: Body | null;
  }
  export class Response {}
  export function makeResponse(init: InnerResponse): InnerResponse;
  export function filterResponse(response: InnerResponse, type: "basic"): InnerResponse;
  export function fromInnerResponse(response: InnerResponse, guard: "immutable"): Response;
}
declare module "undici/lib/web/fetch/data-url.js" {
  export function dataURLProcessor(url: object):
    | "failure"
    | {
        readonly mimeType: "failure" | { readonly essence: string; readonly parameters: ReadonlyMap<string, string> };
        readonly body: Uint8Array;
      };
}
declare module "whatwg-url" {
  export class URL {
    constructor(url: string, base?: string);
    readonly href: string;
    readonly protocol: string;
    readonly host: string;
  }
  export class URLSearchParams {}
}
declare module "event-target-shim" {
  export class Event {
    constructor(type: string, init?: object);
  }
  export class EventTarget {
    addEventListener(type: string, listener: (event: Event) => void, options?: object): void;
    removeEventListener(type: string, listener: (event: Event) => void): void;
    dispatchEvent(event: Event): boolean;
  }
  export type Handler = (event: Event) => void;
  export function getEventAttributeValue(target: EventTarget, type: string): Handler | null;
  export function setEventAttributeValue(target: EventTarget, type: string, handler: Handler | null): void;
  export function setErrorHandler(handler: (error: Error) => void): void;
  export function setWarningHandler(handler: () => void): void;
}

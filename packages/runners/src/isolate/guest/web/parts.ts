/**
 * The parts of the web globals. This file is one function in the guest's script, and so is each of its
 * parts: they are evaluated by the first `require`, which the bundler leaves in place.
 */
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

export { holdBridge } from "./held-bridge.ts";

export const parts = {
  get abort() {
    return require("./abort.ts");
  },
  get asyncLocalStorage() {
    return require("./async-local-storage.ts");
  },
  get base64() {
    return require("./base64.ts");
  },
  get blob() {
    return require("./blob.ts");
  },
  get crypto() {
    return require("./crypto.ts");
  },
  get domException() {
    return require("./dom-exception.ts");
  },
  get encoding() {
    return require("./encoding.ts");
  },
  get events() {
    return require("./events.ts");
  },
  get fetch() {
    return require("./fetch.ts");
  },
  get fetchClasses() {
    return require("./fetch-classes.ts");
  },
  get performance() {
    return require("./performance.ts");
  },
  get streams() {
    return require("./streams.ts");
  },
  get structuredClone() {
    return require("./structured-clone.ts");
  },
  get subtle() {
    return require("./subtle.ts");
  },
  get timers() {
    return require("./timers.ts");
  },
  get url() {
    return require("./url.ts");
  },
};

/**
 * The globals of user code, by name. What an engine brings beyond this list is removed, so that a new
 * engine adds nothing until somebody has looked at it. Not listed on purpose: SharedArrayBuffer and
 * Atomics, which make clocks and can block a thread.
 */
export const ENGINE_GLOBALS: readonly string[] = [
  ...["Object", "Function", "Array", "Number", "parseFloat", "parseInt", "Infinity", "NaN", "undefined", "Boolean", "String", "Symbol"],
  ...["Date", "Promise", "RegExp", "Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError"],
  ...["URIError", "SuppressedError", "globalThis", "JSON", "Math", "Intl", "Temporal", "ArrayBuffer", "DataView", "Uint8Array"],
  ...["Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array", "BigUint64Array", "BigInt64Array", "Uint8ClampedArray"],
  ...["Float16Array", "Float32Array", "Float64Array", "Map", "BigInt", "Set", "Iterator", "WeakMap", "WeakSet", "Proxy", "Reflect"],
  ...["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape", "eval", "isFinite", "isNaN"],
  ...["DisposableStack", "AsyncDisposableStack", "WebAssembly", "FinalizationRegistry", "WeakRef", "console"],
];

/** What the guest itself adds; the web globals are the table of `web/index.ts`. */
export const GUEST_GLOBALS: readonly string[] = ["Convex", "process", "self"];

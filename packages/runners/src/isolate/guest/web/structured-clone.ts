/**
 * `structuredClone` of HTML, for the values of the engine. The packages for it lose types (they go through
 * JSON) or make Maps and Sets of their own instead of the engine's.
 */
import { DOMException } from "./dom-exception.ts";
import { isKnownInstance } from "./known-classes.ts";

type Memory = Map<object, object>;
type Copy = (value: object, memory: Memory) => object;

const ERROR_NAMES = new Set(["EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]);

/** Tags of objects of the engine that have inner state and no copy. */
const UNCLONEABLE =
  /^\[object (?:Promise|WeakMap|WeakSet|WeakRef|FinalizationRegistry|Generator|AsyncGenerator|.* Iterator|Intl\..*|Temporal\..*|WebAssembly\..*)\]$/;

export function structuredClone(...args: readonly [value?: unknown, options?: { readonly transfer?: Iterable<object> }]): unknown {
  if (args.length === 0) throw new TypeError('The "value" argument must be specified');
  const [value, options] = args;
  const transfer = checkTransfer(options?.transfer);
  const copy = clone(value, new Map());
  // Only when nothing can fail any more do the originals lose their content.
  for (const buffer of transfer) buffer.transfer();
  return copy;
}

function checkTransfer(transfer: Iterable<object> | undefined): readonly ArrayBuffer[] {
  const buffers = transfer === undefined ? [] : [...transfer];
  if (new Set(buffers).size !== buffers.length) throw dataCloneError("A transferred object is listed twice.");
  return buffers.map((buffer) => {
    if (!(buffer instanceof ArrayBuffer) || buffer.detached) throw dataCloneError("Value not transferable");
    return buffer;
  });
}

function clone(value: unknown, memory: Memory): unknown {
  if (typeof value === "symbol" || typeof value === "function") throw notCloneable(value);
  if (typeof value !== "object" || value === null) return value;
  const known = memory.get(value);
  if (known !== undefined) return known;
  return copierOf(value)(value, memory);
}

function copierOf(value: object): Copy {
  if (Array.isArray(value)) return copyArray;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return copyObject;
  // An object of the engine that lost its prototype would be taken for a plain one; nobody makes those.
  if (prototype === Object.prototype && !(Symbol.toStringTag in value)) return copyObject;
  return COPIERS.find(([isBranded]) => isBranded(value))?.[1] ?? copyOther;
}

/** Whether the method or getter, which works on one kind of object only, works on this one. */
function branded(method: unknown): (value: object) => boolean {
  return (value) => {
    try {
      if (typeof method === "function") Reflect.apply(method, value, []);
      return true;
    } catch {
      return false;
    }
  };
}

function getter(prototype: object, name: string | symbol): unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

const COPIERS: readonly (readonly [(value: object) => boolean, Copy])[] = [
  [branded(getter(Map.prototype, "size")), copyMap],
  [branded(getter(Set.prototype, "size")), copySet],
  [branded(Date.prototype.getTime), (value, memory) => remember(value, new Date(Date.prototype.getTime.call(value)), memory)],
  [(value) => ArrayBuffer.isView(value), copyView],
  [branded(getter(ArrayBuffer.prototype, "byteLength")), copyBuffer],
  [isError, copyError],
  [(value) => value instanceof RegExp, copyRegExp],
  [branded(Boolean.prototype.valueOf), copyWrapper],
  [branded(Number.prototype.valueOf), copyWrapper],
  [branded(String.prototype.valueOf), copyWrapper],
  [branded(BigInt.prototype.valueOf), copyWrapper],
  [branded(Symbol.prototype.valueOf), refuse],
  [isKnownInstance, refuse],
];

function copyOther(value: object, memory: Memory): object {
  return UNCLONEABLE.test(Object.prototype.toString.call(value)) ? refuse(value) : copyObject(value, memory);
}

function copyObject(value: object, memory: Memory): object {
  return copyMembers(value, remember(value, {}, memory), memory);
}

function copyArray(value: object, memory: Memory): object {
  const copy: unknown[] = [];
  copy.length = Reflect.get(value, "length");
  return copyMembers(value, remember(value, copy, memory), memory);
}

function copyMembers(value: object, copy: object, memory: Memory): object {
  for (const key of Object.keys(value)) {
    // A getter may have removed it meanwhile.
    if (!Object.hasOwn(value, key)) continue;
    Object.defineProperty(copy, key, {
      value: clone(Reflect.get(value, key), memory),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}

function copyMap(value: object, memory: Memory): object {
  const copy = remember(value, new Map<unknown, unknown>(), memory);
  const entries: [unknown, unknown][] = [];
  Map.prototype.forEach.call(value, (entry: unknown, key: unknown) => entries.push([key, entry]));
  for (const [key, entry] of entries) copy.set(clone(key, memory), clone(entry, memory));
  return copy;
}

function copySet(value: object, memory: Memory): object {
  const copy = remember(value, new Set<unknown>(), memory);
  const entries: unknown[] = [];
  Set.prototype.forEach.call(value, (entry: unknown) => entries.push(entry));
  for (const entry of entries) copy.add(clone(entry, memory));
  return copy;
}

function copyRegExp(value: object, memory: Memory): object {
  const { source, flags } = value as RegExp;
  return remember(value, new RegExp(source, flags), memory);
}

function copyWrapper(value: object, memory: Memory): object {
  return remember(value, Object(value.valueOf()) as object, memory);
}

function copyBuffer(value: object, memory: Memory): object {
  const buffer = value as ArrayBuffer;
  if (buffer.detached) throw dataCloneError("An ArrayBuffer is detached and could not be cloned.");
  const copy = buffer.resizable
    ? new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength })
    : new ArrayBuffer(buffer.byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return remember(value, copy, memory);
}

type ViewConstructor = new (buffer: object, offset: number, length: number) => object;

const typeOfArray = getter(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);

function copyView(value: object, memory: Memory): object {
  const view = value as Uint8Array | DataView;
  const buffer = clone(view.buffer, memory) as object;
  const name: unknown = typeof typeOfArray === "function" ? Reflect.apply(typeOfArray, value, []) : undefined;
  const View = Reflect.get(globalThis, typeof name === "string" ? name : "DataView") as ViewConstructor;
  return remember(value, new View(buffer, view.byteOffset, "length" in view ? view.length : view.byteLength), memory);
}

function isError(value: object): boolean {
  return value instanceof Error || (Error as { isError?(value: unknown): boolean }).isError?.(value) === true;
}

function copyError(value: object, memory: Memory): object {
  const { name, message, stack } = value as Error;
  if (value instanceof DOMException) return remember(value, new DOMException(message, name), memory);
  const ErrorClass = (ERROR_NAMES.has(name) ? Reflect.get(globalThis, name) : Error) as ErrorConstructor;
  const copy = remember(value, new ErrorClass(), memory);
  const define = (key: string, member: unknown): void =>
    void Object.defineProperty(copy, key, { value: member, writable: true, enumerable: false, configurable: true });
  if (Object.hasOwn(value, "message")) define("message", `${message}`);
  if (Object.hasOwn(value, "cause")) define("cause", clone((value as Error).cause, memory));
  if (typeof stack === "string") define("stack", stack);
  return copy;
}

function refuse(value: object): never {
  throw notCloneable(value);
}

function remember<Made extends object>(value: object, copy: Made, memory: Memory): Made {
  memory.set(value, copy);
  return copy;
}

function notCloneable(value: unknown): Error {
  const shown = typeof value === "object" && value !== null ? `#<${Object.prototype.toString.call(value).slice(8, -1)}>` : String(value);
  return dataCloneError(`${shown} could not be cloned.`);
}

function dataCloneError(message: string): Error {
  return new DOMException(message, "DataCloneError");
}

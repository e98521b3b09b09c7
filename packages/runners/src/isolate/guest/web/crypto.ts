/** `crypto`: randomness is that of the runner's process, and only actions have it. */
import { DOMException } from "./dom-exception.ts";
import { heldBridge } from "./held-bridge.ts";
import { platformClasses } from "./platform-class.ts";
import { subtle, type SubtleCrypto } from "./subtle.ts";

const INTEGER_ARRAYS = new Set([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "BigInt64Array",
  "BigUint64Array",
]);

/** Bytes of one `getRandomValues`, as the Web Cryptography standard has it. */
const RANDOM_BYTES = 65_536;

const typeName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;

export class Crypto {
  constructor() {
    if (made) throw new TypeError("Illegal constructor");
  }

  get subtle(): SubtleCrypto {
    return subtle;
  }

  getRandomValues<View extends ArrayBufferView>(view: View): View {
    heldBridge().requireAction("crypto.getRandomValues()");
    const name: unknown = typeName?.call(view);
    if (typeof name !== "string" || !INTEGER_ARRAYS.has(name))
      throw new DOMException("The data argument must be an integer-type TypedArray", "TypeMismatchError");
    if (view.byteLength > RANDOM_BYTES) throw new DOMException(`The requested length exceeds ${RANDOM_BYTES} bytes`, "QuotaExceededError");
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(randomBytes(view.byteLength));
    return view;
  }

  randomUUID(): string {
    heldBridge().requireAction("crypto.randomUUID()");
    const bytes = randomBytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}

platformClasses({ Crypto });

let made = false;
export const crypto = new Crypto();
made = true;

function randomBytes(length: number): Uint8Array {
  const bridge = heldBridge();
  bridge.observeRandom();
  return Uint8Array.fromBase64(bridge.localSync("crypto/random", `${length}`));
}

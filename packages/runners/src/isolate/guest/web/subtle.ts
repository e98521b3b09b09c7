/**
 * `crypto.subtle`: the runner's own WebCrypto does the work. The runner keeps no keys; a CryptoKey holds its
 * material here, within the call's context, and every operation sends along what it needs.
 */
import type { KeyFormat, KeyUsage, SubtleRequest, SubtleResponse, WireAlgorithm, WireKey } from "../../local-ops/crypto-wire.ts";
import { DOMException } from "./dom-exception.ts";
import { heldBridge } from "./held-bridge.ts";
import { platformClasses } from "./platform-class.ts";

type Algorithm = string | Readonly<Record<string, unknown>>;
type Bytes = ArrayBufferView | ArrayBuffer;

/** Proves that a key is made by this file. */
const INTERNAL = Symbol("internal");

/** Algorithms whose results differ from call to call. */
const RANDOMISED = new Set(["ECDSA", "RSA-PSS", "RSA-OAEP"]);

const KEY_DERIVATIONS = new Set(["HKDF", "PBKDF2"]);

let wireOf: (key: CryptoKey) => WireKey;

export class CryptoKey {
  readonly #wire: WireKey;
  readonly #extractable: boolean;
  readonly #algorithm: object;

  constructor(token: unknown, wire: WireKey, extractable: boolean) {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
    this.#wire = wire;
    this.#extractable = extractable;
    this.#algorithm = Object.freeze(fromWire(wire.algorithm));
  }

  static {
    wireOf = (key) => key.#wire;
  }

  get type(): string {
    return this.#wire.type;
  }

  get extractable(): boolean {
    return this.#extractable;
  }

  get algorithm(): object {
    return this.#algorithm;
  }

  get usages(): string[] {
    return [...this.#wire.usages];
  }
}

export class SubtleCrypto {
  constructor(token?: unknown) {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
  }

  async digest(algorithm: Algorithm, data: Bytes): Promise<ArrayBuffer> {
    return bytesOf(await perform({ method: "digest", algorithm: toWire(algorithm), data: base64(data) }));
  }

  async sign(algorithm: Algorithm, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    observe(algorithm);
    return bytesOf(await perform({ method: "sign", algorithm: toWire(algorithm), key: wire(key), data: base64(data) }));
  }

  async verify(algorithm: Algorithm, key: CryptoKey, signature: Bytes, data: Bytes): Promise<boolean> {
    const response = await perform({
      method: "verify",
      algorithm: toWire(algorithm),
      key: wire(key),
      signature: base64(signature),
      data: base64(data),
    });
    return response.kind === "boolean" && response.value;
  }

  async encrypt(algorithm: Algorithm, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    observe(algorithm);
    return bytesOf(await perform({ method: "encrypt", algorithm: toWire(algorithm), key: wire(key), data: base64(data) }));
  }

  async decrypt(algorithm: Algorithm, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    return bytesOf(await perform({ method: "decrypt", algorithm: toWire(algorithm), key: wire(key), data: base64(data) }));
  }

  async deriveBits(algorithm: Algorithm, key: CryptoKey, length: number | null = null): Promise<ArrayBuffer> {
    return bytesOf(
      await perform({
        method: "deriveBits",
        algorithm: toWire(algorithm),
        key: wire(key),
        length: length === null ? null : Number(length),
      }),
    );
  }

  async deriveKey(
    algorithm: Algorithm,
    key: CryptoKey,
    derived: Algorithm,
    extractable: boolean,
    usages: Iterable<string>,
  ): Promise<CryptoKey> {
    const response = await perform({
      method: "deriveKey",
      algorithm: toWire(algorithm),
      key: wire(key),
      derived: toWire(derived),
      usages: names(usages),
    });
    return keyOf(response, extractable);
  }

  async importKey(
    format: string,
    keyData: Bytes | object,
    algorithm: Algorithm,
    extractable: boolean,
    usages: Iterable<string>,
  ): Promise<CryptoKey> {
    const { intrinsics } = heldBridge();
    const isBytes = keyData instanceof ArrayBuffer || ArrayBuffer.isView(keyData);
    if (isBytes === (format === "jwk")) throw new TypeError(`The key data do not fit the format '${format}'.`);
    const data = isBytes ? base64(keyData) : intrinsics.JSONstringify(keyData);
    return keyOf(
      await perform({ method: "importKey", format: formatOf(format), data, algorithm: toWire(algorithm), usages: names(usages) }),
      extractable,
    );
  }

  async exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer | object> {
    requireExtractable(key);
    const response = await perform({ method: "exportKey", format: formatOf(format), key: wire(key) });
    return response.kind === "jwk" ? jwkOf(response.text, key) : bytesOf(response);
  }

  async generateKey(
    algorithm: Algorithm,
    extractable: boolean,
    usages: Iterable<string>,
  ): Promise<CryptoKey | { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey }> {
    const bridge = heldBridge();
    bridge.requireAction("crypto.subtle.generateKey()");
    bridge.observeRandom();
    const response = await perform({ method: "generateKey", algorithm: toWire(algorithm), usages: names(usages) });
    if (response.kind !== "keyPair") return keyOf(response, extractable);
    return {
      publicKey: new CryptoKey(INTERNAL, response.publicKey, true),
      privateKey: new CryptoKey(INTERNAL, response.privateKey, extractable),
    };
  }

  async wrapKey(format: string, key: CryptoKey, wrappingKey: CryptoKey, algorithm: Algorithm): Promise<ArrayBuffer> {
    requireExtractable(key);
    observe(algorithm);
    return bytesOf(
      await perform({
        method: "wrapKey",
        format: formatOf(format),
        inner: wire(key),
        key: wire(wrappingKey),
        algorithm: toWire(algorithm),
      }),
    );
  }

  async unwrapKey(
    format: string,
    wrappedKey: Bytes,
    unwrappingKey: CryptoKey,
    algorithm: Algorithm,
    keyAlgorithm: Algorithm,
    extractable: boolean,
    usages: Iterable<string>,
  ): Promise<CryptoKey> {
    const request: SubtleRequest = {
      method: "unwrapKey",
      format: formatOf(format),
      data: base64(wrappedKey),
      key: wire(unwrappingKey),
      algorithm: toWire(algorithm),
      derived: toWire(keyAlgorithm),
      usages: names(usages),
    };
    return keyOf(await perform(request), extractable);
  }
}

platformClasses({ CryptoKey, SubtleCrypto });

export const subtle = new SubtleCrypto(INTERNAL);

async function perform(request: SubtleRequest): Promise<Exclude<SubtleResponse, { readonly kind: "error" }>> {
  const { intrinsics, local } = heldBridge();
  const response = intrinsics.JSONparse(await local("crypto/subtle", intrinsics.JSONstringify(request))) as SubtleResponse;
  if (response.kind !== "error") return response;
  throw response.name === "TypeError" ? new TypeError(response.message) : new DOMException(response.message, response.name);
}

function observe(algorithm: Algorithm): void {
  const name = typeof algorithm === "string" ? algorithm : `${algorithm["name"]}`;
  if (RANDOMISED.has(name.toUpperCase())) heldBridge().observeRandom();
}

function requireExtractable(key: CryptoKey): void {
  if (KEY_DERIVATIONS.has(`${Reflect.get(wire(key).algorithm["name"] ?? {}, "text")}`))
    throw new DOMException("The key cannot be exported", "NotSupportedError");
  if (!key.extractable) throw new DOMException("key is not extractable", "InvalidAccessError");
}

function wire(key: unknown): WireKey {
  if (!(key instanceof CryptoKey)) throw new TypeError("The key is not a CryptoKey.");
  return wireOf(key);
}

function keyOf(response: SubtleResponse, extractable: boolean): CryptoKey {
  if (response.kind !== "key") throw new TypeError("The operation does not give one key.");
  return new CryptoKey(INTERNAL, response.key, Boolean(extractable));
}

/** The runner's copy of a key is always extractable and may have other usages. */
function jwkOf(text: string, key: CryptoKey): object {
  const jwk = heldBridge().intrinsics.JSONparse(text) as Record<string, unknown>;
  return { ...jwk, key_ops: key.usages, ext: key.extractable };
}

function bytesOf(response: SubtleResponse): ArrayBuffer {
  if (response.kind !== "bytes") throw new TypeError("The operation does not give bytes.");
  return Uint8Array.fromBase64(response.data).buffer;
}

/** The runner checks the text; here it only becomes one. */
function formatOf(format: string): KeyFormat {
  return `${format}` as KeyFormat;
}

function names(usages: Iterable<string>): KeyUsage[] {
  if (typeof usages !== "object" || usages === null) throw new TypeError("The usages of a key must be a sequence.");
  return [...usages].map((usage) => `${usage}` as KeyUsage);
}

function base64(data: unknown): string {
  if (data instanceof ArrayBuffer) return new Uint8Array(data).toBase64();
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).toBase64();
  throw new TypeError("The data must be an ArrayBuffer or a view of one.");
}

/** An algorithm as it travels: bytes and keys in it are marked. */
function toWire(algorithm: Algorithm): WireAlgorithm {
  if (typeof algorithm !== "object" || algorithm === null) return { name: { text: `${algorithm}` } };
  const members: Record<string, WireAlgorithm[string]> = {};
  for (const [name, value] of Object.entries(algorithm)) {
    if (value instanceof CryptoKey) members[name] = { key: wireOf(value) };
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) members[name] = { bytes: base64(value) };
    else if (typeof value === "object" && value !== null) members[name] = { text: `${Reflect.get(value, "name")}` };
    else if (typeof value === "number") members[name] = { number: value };
    else if (value !== undefined) members[name] = { text: `${value}` };
  }
  return members;
}

function fromWire(algorithm: WireAlgorithm): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(algorithm)) {
    if ("bytes" in value) members[name] = Uint8Array.fromBase64(value.bytes);
    else if ("number" in value) members[name] = value.number;
    else if ("text" in value) members[name] = name === "hash" ? { name: value.text } : value.text;
  }
  return members;
}

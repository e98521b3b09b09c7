/**
 * Cryptography for guests, by Node's own WebCrypto. Nothing is kept between operations: keys come with each
 * request and are forgotten after it, so there is nothing to bound, to clean up or to mix up between calls.
 */
import { limit } from "@plinth/core/limits.ts";
import { randomBytes, webcrypto } from "node:crypto";
import type { KeyFormat, SubtleRequest, SubtleResponse, WireAlgorithm, WireKey } from "./crypto-wire.ts";
import { parseSubtleRequest } from "./parse-subtle-request.ts";

type Key = webcrypto.CryptoKey;
type Parameters = { readonly name: string } & Readonly<Record<string, unknown>>;

const subtle = webcrypto.subtle;

/** Bytes of one `getRandomValues`, as the Web Cryptography standard has it. */
const RANDOM_BYTES = 65_536;

/** Keys of these can be imported but never exported. */
const KEY_DERIVATIONS = new Set(["HKDF", "PBKDF2"]);

const MATERIAL_FORMATS = { secret: "raw-secret", private: "pkcs8", public: "spki" } as const satisfies Record<WireKey["type"], KeyFormat>;

/** argText: how many bytes; result: base64. */
export function random(argText: string): string {
  const length = Number(argText);
  if (!Number.isInteger(length) || length < 0 || length > RANDOM_BYTES) throw new RangeError("The number of random bytes is not valid.");
  return randomBytes(length).toString("base64");
}

/** argText: a SubtleRequest; result: a SubtleResponse. What WebCrypto refuses is a response too, with the name of its error. */
export async function performSubtle(argText: string): Promise<string> {
  let response: SubtleResponse;
  try {
    response = await perform(parseSubtleRequest(argText));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error("The operation failed.");
    response = { kind: "error", name: error instanceof DOMException || error instanceof TypeError ? name : "OperationError", message };
  }
  return JSON.stringify(response);
}

async function perform(request: SubtleRequest): Promise<SubtleResponse> {
  switch (request.method) {
    case "digest":
      return bytes(await subtle.digest(await parameters(request.algorithm), decode(request.data)));
    case "sign":
      return bytes(await subtle.sign(await parameters(request.algorithm), await keyFrom(request.key), decode(request.data)));
    case "verify": {
      const { algorithm, key, signature, data } = request;
      return {
        kind: "boolean",
        value: await subtle.verify(await parameters(algorithm), await keyFrom(key), decode(signature), decode(data)),
      };
    }
    case "encrypt":
      return bytes(await subtle.encrypt(await parameters(request.algorithm), await keyFrom(request.key), decode(request.data)));
    case "decrypt":
      return bytes(await subtle.decrypt(await parameters(request.algorithm), await keyFrom(request.key), decode(request.data)));
    case "deriveBits":
      // Null means all of the secret, which Node's types do not know.
      return bytes(await subtle.deriveBits(await parameters(request.algorithm), await keyFrom(request.key), request.length as number));
    case "deriveKey": {
      const [algorithm, derived] = [await parameters(request.algorithm), await parameters(request.derived)];
      return made(await subtle.deriveKey(algorithm, await keyFrom(request.key), derived, true, [...request.usages]), derived);
    }
    case "importKey":
      return await importKey(request);
    case "exportKey":
      return await exportKey(request.format, await keyFrom(request.key));
    case "generateKey":
      return await generateKey(request);
    case "wrapKey":
      return bytes(
        await subtle.wrapKey(request.format, await keyFrom(request.inner), await keyFrom(request.key), await parameters(request.algorithm)),
      );
    case "unwrapKey": {
      const { format, data, key, algorithm, derived, usages } = request;
      const [unwrap, wanted] = [await parameters(algorithm), await parameters(derived)];
      return made(await subtle.unwrapKey(format, decode(data), await keyFrom(key), unwrap, wanted, true, [...usages]), wanted);
    }
  }
}

async function importKey({ format, data, algorithm, usages }: SubtleRequest & { readonly method: "importKey" }): Promise<SubtleResponse> {
  const wanted = await parameters(algorithm);
  const extractable = !KEY_DERIVATIONS.has(wanted.name.toUpperCase());
  const key =
    format === "jwk"
      ? await subtle.importKey("jwk", { ...(JSON.parse(data) as webcrypto.JsonWebKey), ext: true }, wanted, extractable, [...usages])
      : await subtle.importKey(format as "raw", decode(data), wanted, extractable, [...usages]);
  return extractable ? made(key, wanted) : { kind: "key", key: { ...describe(key), data } };
}

async function exportKey(format: string, key: Key): Promise<SubtleResponse> {
  const exported = await subtle.exportKey(format as "raw", key);
  return exported instanceof ArrayBuffer ? bytes(exported) : { kind: "jwk", text: JSON.stringify(exported) };
}

async function generateKey({ algorithm, usages }: SubtleRequest & { readonly method: "generateKey" }): Promise<SubtleResponse> {
  const generated = await subtle.generateKey(await parameters(algorithm), true, [...usages]);
  if (!("publicKey" in generated)) return { kind: "key", key: await toWire(generated) };
  return { kind: "keyPair", publicKey: await toWire(generated.publicKey), privateKey: await toWire(generated.privateKey) };
}

/** A key that an operation made; those for key derivation keep what they were made from. */
async function made(key: Key, wanted: Parameters): Promise<SubtleResponse> {
  if (KEY_DERIVATIONS.has(wanted.name.toUpperCase()))
    throw new DOMException("Keys for key derivation can only be imported here", "NotSupportedError");
  return { kind: "key", key: await toWire(key) };
}

async function toWire(key: Key): Promise<WireKey> {
  const material = await subtle.exportKey(MATERIAL_FORMATS[key.type] as "raw", key);
  return { ...describe(key), data: Buffer.from(material).toString("base64") };
}

function describe(key: Key): Omit<WireKey, "data"> {
  const algorithm: Record<string, WireAlgorithm[string]> = {};
  for (const [name, value] of Object.entries(key.algorithm) as [string, unknown][]) {
    if (typeof value === "string") algorithm[name] = { text: value };
    else if (typeof value === "number") algorithm[name] = { number: value };
    else if (value instanceof Uint8Array) algorithm[name] = { bytes: Buffer.from(value).toString("base64") };
    else if (typeof value === "object" && value !== null && "name" in value) algorithm[name] = { text: String(value.name) };
  }
  return { type: key.type, algorithm, usages: key.usages };
}

async function keyFrom(key: WireKey): Promise<Key> {
  const { name, hash, namedCurve, length } = await parameters(key.algorithm);
  const extractable = !KEY_DERIVATIONS.has(name.toUpperCase());
  const wanted = { name, hash, namedCurve, ...(name === "HMAC" && { length }) };
  return await subtle.importKey(MATERIAL_FORMATS[key.type] as "raw", decode(key.data), wanted, extractable, [...key.usages]);
}

/** The parameters as WebCrypto takes them, within the limits on what one operation may cost. */
async function parameters(algorithm: WireAlgorithm): Promise<Parameters> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(algorithm)) {
    if ("text" in value) members[name] = value.text;
    else if ("number" in value) members[name] = value.number;
    else if ("bytes" in value) members[name] = decode(value.bytes);
    else members[name] = await keyFrom(value.key);
  }
  requireAtMost(members["iterations"], limit("cryptoIterationsMax"), "iterations");
  requireAtMost(members["modulusLength"], limit("rsaModulusBitsMax"), "modulusLength");
  return { ...members, name: String(members["name"]) };
}

function requireAtMost(value: unknown, max: number, name: string): void {
  if (typeof value === "number" && value > max) throw new DOMException(`${name} may be at most ${max}`, "OperationError");
}

function bytes(data: ArrayBuffer): SubtleResponse {
  return { kind: "bytes", data: Buffer.from(data).toString("base64") };
}

function decode(data: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(data, "base64"));
}

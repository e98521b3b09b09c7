/** The strict reader of what a guest asks of WebCrypto; the text is hostile. */
import type { KeyFormat, KeyUsage, SubtleRequest, WireAlgorithm, WireKey } from "./crypto-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Members of an algorithm that are passed on; others are left out, as WebIDL does. */
const MEMBERS = new Set([
  "name",
  "hash",
  "length",
  "namedCurve",
  "modulusLength",
  "publicExponent",
  "public",
  "iv",
  "additionalData",
  "tagLength",
  "counter",
  "salt",
  "info",
  "iterations",
  "label",
  "saltLength",
  "context",
]);

const KEY_TYPES: readonly unknown[] = ["secret", "private", "public"] satisfies WireKey["type"][];

const USAGES: readonly unknown[] = [
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "deriveKey",
  "deriveBits",
  "wrapKey",
  "unwrapKey",
  "encapsulateKey",
  "encapsulateBits",
  "decapsulateKey",
  "decapsulateBits",
] satisfies KeyUsage[];

const FORMATS: readonly unknown[] = ["raw", "raw-secret", "raw-public", "pkcs8", "spki", "jwk"] satisfies KeyFormat[];

export function parseSubtleRequest(argText: string): SubtleRequest {
  const value = object(JSON.parse(argText));
  const { method } = value;
  switch (method) {
    case "digest":
      return { method, algorithm: algorithm(value["algorithm"]), data: text(value["data"]) };
    case "sign":
    case "encrypt":
    case "decrypt":
      return { method, algorithm: algorithm(value["algorithm"]), key: key(value["key"]), data: text(value["data"]) };
    case "verify":
      return {
        method,
        algorithm: algorithm(value["algorithm"]),
        key: key(value["key"]),
        signature: text(value["signature"]),
        data: text(value["data"]),
      };
    case "deriveBits":
      return {
        method,
        algorithm: algorithm(value["algorithm"]),
        key: key(value["key"]),
        length: value["length"] === null ? null : number(value["length"]),
      };
    case "deriveKey":
      return {
        method,
        algorithm: algorithm(value["algorithm"]),
        key: key(value["key"]),
        derived: algorithm(value["derived"]),
        usages: usages(value["usages"]),
      };
    case "importKey":
      return {
        method,
        format: format(value["format"]),
        data: text(value["data"]),
        algorithm: algorithm(value["algorithm"]),
        usages: usages(value["usages"]),
      };
    case "exportKey":
      return { method, format: format(value["format"]), key: key(value["key"]) };
    case "generateKey":
      return { method, algorithm: algorithm(value["algorithm"]), usages: usages(value["usages"]) };
    case "wrapKey":
      return {
        method,
        format: format(value["format"]),
        inner: key(value["inner"]),
        key: key(value["key"]),
        algorithm: algorithm(value["algorithm"]),
      };
    case "unwrapKey":
      return {
        method,
        format: format(value["format"]),
        data: text(value["data"]),
        key: key(value["key"]),
        algorithm: algorithm(value["algorithm"]),
        derived: algorithm(value["derived"]),
        usages: usages(value["usages"]),
      };
    default:
      throw malformed();
  }
}

function algorithm(value: unknown, depth = 0): WireAlgorithm {
  const members: Record<string, WireAlgorithm[string]> = {};
  for (const [name, member] of Object.entries(object(value))) {
    if (!MEMBERS.has(name)) continue;
    const fields = object(member);
    if (typeof fields["text"] === "string") members[name] = { text: fields["text"] };
    else if (typeof fields["number"] === "number") members[name] = { number: fields["number"] };
    else if (typeof fields["bytes"] === "string") members[name] = { bytes: fields["bytes"] };
    // The other party's key, within an algorithm; a key's own algorithm has none.
    else if (depth === 0) members[name] = { key: key(fields["key"]) };
    else throw malformed();
  }
  return members;
}

function key(value: unknown): WireKey {
  const fields = object(value);
  if (!KEY_TYPES.includes(fields["type"])) throw malformed();
  return {
    type: fields["type"] as WireKey["type"],
    algorithm: algorithm(fields["algorithm"], 1),
    usages: usages(fields["usages"]),
    data: text(fields["data"]),
  };
}

function object(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  return value as Fields;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw malformed();
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw malformed();
  return value;
}

function usages(value: unknown): readonly KeyUsage[] {
  if (!Array.isArray(value)) throw malformed();
  const unknown: unknown = value.find((usage) => !USAGES.includes(usage));
  if (unknown !== undefined) throw new TypeError(`${JSON.stringify(unknown)} is no usage of a key.`);
  return value as KeyUsage[];
}

function format(value: unknown): KeyFormat {
  if (!FORMATS.includes(value)) throw new TypeError(`'${String(value)}' is no format of a key.`);
  return value as KeyFormat;
}

function malformed(): TypeError {
  return new TypeError("The request of crypto.subtle is not well-formed.");
}

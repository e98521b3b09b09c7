/** Encodings, hashes and signatures. Texts are the bytes that they hold. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { bytesOfText, textOfBytes } from "../bytes.ts";
import { fromJson, toJson, type Value } from "../values.ts";
import { ofTexts, type Builtin } from "./builtin.ts";

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;

function hash(name: "sha256" | "sha1" | "md5"): Builtin {
  return ofTexts(1, (text) => createHash(name).update(bytesOfText(text)).digest("hex"));
}

function hmac(name: "sha256" | "sha1" | "sha512" | "md5"): Builtin {
  return ofTexts(2, (text, key) => createHmac(name, bytesOfText(key)).update(bytesOfText(text)).digest("hex"));
}

/** In a time that does not tell where the two differ. */
function hmacEqual(a: string, b: string): boolean {
  const [left, right] = [bytesOfText(a), bytesOfText(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function parsed(text: string): Value | undefined {
  try {
    return fromJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const ENCODING: Readonly<Record<string, Builtin>> = {
  "base64.decode": ofTexts(1, (text) =>
    BASE64.test(text) && text.length % 4 === 0 ? textOfBytes(Buffer.from(text, "base64")) : undefined,
  ),
  "base64.encode": ofTexts(1, (text) => bytesOfText(text).toString("base64")),
  "base64.is_valid": ofTexts(1, (text) => BASE64.test(text) && text.length % 4 === 0),
  "base64url.decode": ofTexts(1, (text) => (BASE64_URL.test(text) ? textOfBytes(Buffer.from(text, "base64url")) : undefined)),
  "base64url.encode": ofTexts(1, (text) => {
    const encoded = bytesOfText(text).toString("base64url");
    return encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=");
  }),
  "base64url.encode_no_pad": ofTexts(1, (text) => bytesOfText(text).toString("base64url")),
  "hex.encode": ofTexts(1, (text) => bytesOfText(text).toString("hex")),
  "hex.decode": ofTexts(1, (text) => (HEX.test(text) ? textOfBytes(Buffer.from(text, "hex")) : undefined)),
  "crypto.sha256": hash("sha256"),
  "crypto.sha1": hash("sha1"),
  "crypto.md5": hash("md5"),
  "crypto.hmac.sha256": hmac("sha256"),
  "crypto.hmac.sha1": hmac("sha1"),
  "crypto.hmac.sha512": hmac("sha512"),
  "crypto.hmac.md5": hmac("md5"),
  "crypto.hmac.equal": ofTexts(2, hmacEqual),
  "hmac.equal": ofTexts(2, hmacEqual),
  "json.unmarshal": ofTexts(1, parsed),
  "json.is_valid": ofTexts(1, (text) => parsed(text) !== undefined),
  "json.marshal": {
    arity: 1,
    call: ([value = null], { budget }) => {
      const text = JSON.stringify(toJson(value));
      budget.takeChars(text.length);
      return text;
    },
  },
  "urlquery.encode": ofTexts(1, (text) => new URLSearchParams([["", text]]).toString().slice(1)),
  "urlquery.decode": ofTexts(1, (text) => new URLSearchParams(`a=${text.replaceAll("&", "%26")}`).get("a") ?? undefined),
};

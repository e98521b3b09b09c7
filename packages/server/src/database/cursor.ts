/**
 * Cursors of pages. A cursor says how far a query has been read. It is opaque and tied to its query: the
 * position, which holds field values that the function may not have returned, is encrypted, and the same
 * position always gives the same text, because queries are deterministic. The scheme is a synthetic IV:
 * IV = HMAC(key, query ‖ position), text = base64url(IV ‖ AES-256-CTR(key, IV, position)).
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";

/** `end` = nothing is left; `after` = behind this index key (before it when the order is descending). */
export type CursorPosition = { readonly kind: "end" } | { readonly kind: "after"; readonly indexKey: Uint8Array };

const IV_BYTES = 16;
const END = 0;
const AFTER = 1;

export class CursorCodec {
  readonly #macKey: Buffer;
  readonly #cipherKey: Buffer;

  constructor(secret: Uint8Array) {
    this.#macKey = createHmac("sha256", secret).update("cursor mac").digest();
    this.#cipherKey = createHmac("sha256", secret).update("cursor cipher").digest();
  }

  /** `query` is a text that is the same for the same query. */
  encode(query: Uint8Array, position: CursorPosition): string {
    const plain = position.kind === "end" ? Buffer.of(END) : Buffer.concat([Buffer.of(AFTER), position.indexKey]);
    const iv = this.#iv(query, plain);
    const cipher = createCipheriv("aes-256-ctr", this.#cipherKey, iv);
    return Buffer.concat([iv, cipher.update(plain), cipher.final()]).toString("base64url");
  }

  /** Throws the InvalidCursor error that clients answer by starting again. */
  decode(query: Uint8Array, text: string): CursorPosition {
    const bytes = Buffer.from(text, "base64url");
    if (bytes.length <= IV_BYTES || bytes.toString("base64url") !== text) throw invalidCursor();
    const iv = bytes.subarray(0, IV_BYTES);
    const decipher = createDecipheriv("aes-256-ctr", this.#cipherKey, iv);
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES)), decipher.final()]);
    if (!timingSafeEqual(iv, this.#iv(query, plain))) throw invalidCursor();
    if (plain[0] === END && plain.length === 1) return { kind: "end" };
    if (plain[0] === AFTER) return { kind: "after", indexKey: plain.subarray(1) };
    throw invalidCursor();
  }

  #iv(query: Uint8Array, plain: Uint8Array): Buffer {
    return createHmac("sha256", this.#macKey).update(query).update(plain).digest().subarray(0, IV_BYTES);
  }
}

/** Digest of what a cursor is tied to. */
export function queryDigest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

export function invalidCursor(): Error {
  return plinthError(
    "InvalidArgument",
    { detail: "InvalidCursor: Tried to run a query starting from a cursor, but it is from another query or was changed." },
    { dataText: JSON.stringify({ isConvexSystemError: true, paginationError: "InvalidCursor" }) },
  );
}

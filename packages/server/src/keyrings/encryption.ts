/**
 * Encryption of keyrings: AES-256-GCM under a ring of master keys, of which the first encrypts and all decrypt. Other secrets of the
 * host follow from the same keys.
 *
 * N1 An envelope opens only in the place that it was sealed for: tenant, branch, keyring and field are authenticated with it.
 * N2 Nonces are random, 96 bits, never used twice on purpose.
 * N3 Errors name the id of a key, never its bytes nor those of what is encrypted.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto";
import { assert } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** What is stored of a secret. */
export interface Envelope {
  /** Id of the master key. */
  readonly keyId: string;
  /** Base64. */
  readonly nonce: string;
  /** Base64: ciphertext, then the tag. */
  readonly data: string;
}

/** Where an envelope belongs (N1). */
export interface EnvelopePlace {
  readonly tenant: string;
  readonly branch: string;
  readonly keyring: string;
  readonly field: string;
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class KeyRing {
  readonly #keys = new Map<string, Buffer>();
  readonly #runtime: Runtime;
  /** Id of the key that encrypts. */
  readonly newest: string;

  constructor(keys: readonly Uint8Array[], runtime: Runtime) {
    assert(keys.length > 0 && keys.every((key) => key.length === KEY_BYTES), "master keys have 32 bytes");
    for (const key of keys) this.#keys.set(keyIdOf(key), Buffer.from(key));
    this.newest = keyIdOf(keys[0] ?? new Uint8Array());
    this.#runtime = runtime;
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  seal(place: EnvelopePlace, text: string): Envelope {
    const nonce = this.#runtime.randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key(this.newest), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(authenticated(place));
    const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.newest, nonce: Buffer.from(nonce).toString("base64"), data: data.toString("base64") };
  }

  /** Throws KeyringKeyMissing, or KeyringUnreadable when the envelope was changed or belongs elsewhere. */
  open(place: EnvelopePlace, envelope: Envelope): string {
    const key = this.#key(envelope.keyId);
    const data = Buffer.from(envelope.data, "base64");
    try {
      const decipher = createDecipheriv(CIPHER, key, Buffer.from(envelope.nonce, "base64"), { authTagLength: TAG_BYTES });
      decipher.setAAD(authenticated(place));
      decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
      return Buffer.concat([decipher.update(data.subarray(0, data.length - TAG_BYTES)), decipher.final()]).toString("utf8");
    } catch {
      throw plinthError("KeyringUnreadable", { id: place.keyring, keyId: envelope.keyId });
    }
  }

  /** A secret of 32 bytes that follows from a key and says nothing of it; each purpose has a key of its own. Null where the key is gone. */
  mac(keyId: string, purpose: string, text: string): Buffer | null {
    const key = this.#keys.get(keyId);
    if (key === undefined) return null;
    const own = createHmac("sha256", key).update(`plinth ${purpose}`).digest();
    return createHmac("sha256", own).update(text).digest();
  }

  #key(keyId: string): Buffer {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw plinthError("KeyringKeyMissing", { keyId });
    return key;
  }
}

/** Names a key without telling anything of it. */
export function keyIdOf(key: Uint8Array): string {
  return createHash("sha256").update("plinth keyring key id\0").update(key).digest("hex").slice(0, 16);
}

function authenticated({ tenant, branch, keyring, field }: EnvelopePlace): Buffer {
  return Buffer.from(JSON.stringify(["plinth keyring", tenant, branch, keyring, field]));
}

/** What `crypto.subtle` of a guest and the runner say to each other, as JSON. Bytes are base64. */

export type KeyFormat = "raw" | "raw-secret" | "raw-public" | "pkcs8" | "spki" | "jwk";
export type KeyUsage =
  | "encrypt"
  | "decrypt"
  | "sign"
  | "verify"
  | "deriveKey"
  | "deriveBits"
  | "wrapKey"
  | "unwrapKey"
  | "encapsulateKey"
  | "encapsulateBits"
  | "decapsulateKey"
  | "decapsulateBits";

/** Members of an algorithm; a `hash` given as an object is its name. */
export type WireAlgorithm = Readonly<
  Record<string, { readonly text: string } | { readonly number: number } | { readonly bytes: string } | { readonly key: WireKey }>
>;

/** A key with its material: `raw` for secret keys, `pkcs8` for private ones, `spki` for public ones. */
export interface WireKey {
  readonly type: "secret" | "private" | "public";
  readonly algorithm: WireAlgorithm;
  readonly usages: readonly KeyUsage[];
  readonly data: string;
}

export type SubtleRequest =
  | { readonly method: "digest"; readonly algorithm: WireAlgorithm; readonly data: string }
  | { readonly method: "sign" | "encrypt" | "decrypt"; readonly algorithm: WireAlgorithm; readonly key: WireKey; readonly data: string }
  | {
      readonly method: "verify";
      readonly algorithm: WireAlgorithm;
      readonly key: WireKey;
      readonly signature: string;
      readonly data: string;
    }
  | { readonly method: "deriveBits"; readonly algorithm: WireAlgorithm; readonly key: WireKey; readonly length: number | null }
  | {
      readonly method: "deriveKey";
      readonly algorithm: WireAlgorithm;
      readonly key: WireKey;
      readonly derived: WireAlgorithm;
      readonly usages: readonly KeyUsage[];
    }
  /** `data` is JSON text when the format is `jwk`. */
  | {
      readonly method: "importKey";
      readonly format: KeyFormat;
      readonly data: string;
      readonly algorithm: WireAlgorithm;
      readonly usages: readonly KeyUsage[];
    }
  | { readonly method: "exportKey"; readonly format: KeyFormat; readonly key: WireKey }
  | { readonly method: "generateKey"; readonly algorithm: WireAlgorithm; readonly usages: readonly KeyUsage[] }
  | {
      readonly method: "wrapKey";
      readonly format: KeyFormat;
      readonly inner: WireKey;
      readonly key: WireKey;
      readonly algorithm: WireAlgorithm;
    }
  | {
      readonly method: "unwrapKey";
      readonly format: KeyFormat;
      readonly data: string;
      readonly key: WireKey;
      readonly algorithm: WireAlgorithm;
      readonly derived: WireAlgorithm;
      readonly usages: readonly KeyUsage[];
    };

export type SubtleResponse =
  | { readonly kind: "bytes"; readonly data: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "key"; readonly key: WireKey }
  | { readonly kind: "keyPair"; readonly publicKey: WireKey; readonly privateKey: WireKey }
  | { readonly kind: "jwk"; readonly text: string }
  | { readonly kind: "error"; readonly name: string; readonly message: string };

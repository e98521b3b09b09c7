/** Strict standard base64: padded, no white space, unused bits zero, so that each byte sequence has one text. */

export function base64FromBytes(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** null when the text is not the one canonical encoding of some bytes. */
export function bytesFromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  // The decoder skips white space, which the length check of canonical text excludes.
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/=]/.test(text)) return null;
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return null;
  }
}

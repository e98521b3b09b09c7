/**
 * Texts of policies hold bytes of any kind, as those of Rego do: a byte that is no UTF-8 is the half of a character that no text
 * has. So a signature over a body of any bytes is that over the bytes.
 */
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ESCAPED = 0xdc00;

export function textOfBytes(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  let plain = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < ESCAPED + 0x80 || code > ESCAPED + 0xff) {
      plain += char;
      continue;
    }
    parts.push(Buffer.from(plain, "utf8"), Buffer.from([code - ESCAPED]));
    plain = "";
  }
  parts.push(Buffer.from(plain, "utf8"));
  return Buffer.concat(parts);
}

/** Reads characters one after the other; what begins none is escaped. */
function escaped(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    const char = decodeOne(bytes.subarray(at, at + length));
    text += char ?? String.fromCharCode(ESCAPED + byte);
    at += char === undefined ? 1 : length;
  }
  return text;
}

function decodeOne(bytes: Uint8Array): string | undefined {
  if (bytes.length === 1) return (bytes[0] ?? 0) < 0x80 ? String.fromCharCode(bytes[0] ?? 0) : undefined;
  try {
    const char = UTF_8.decode(bytes);
    return Array.from(char).length === 1 ? char : undefined;
  } catch {
    return undefined;
  }
}

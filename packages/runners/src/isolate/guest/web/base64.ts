/** `atob` and `btoa` over the engine's own base64. */
import { DOMException } from "./dom-exception.ts";

/** Characters that are joined at a time; an engine limits the arguments of one call. */
const CHUNK = 8192;

export function btoa(...args: readonly unknown[]): string {
  if (args.length === 0) throw new TypeError('The "data" argument must be specified');
  const text = `${args[0]}`;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 255) throw new DOMException("Invalid character", "InvalidCharacterError");
    bytes[index] = code;
  }
  return bytes.toBase64();
}

export function atob(...args: readonly unknown[]): string {
  if (args.length === 0) throw new TypeError('The "data" argument must be specified');
  const bytes = decode(`${args[0]}`);
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return text;
}

function decode(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new DOMException("The string to be decoded is not correctly encoded.", "InvalidCharacterError");
  }
}

/** The JSON text of what a handler returned. */

/** The result cannot be sent; the message is for the author. */
export class UnsendableResult extends Error {
  override name = "TypeError";
}

/**
 * As JSON does it: `toJSON` is honoured, dates become texts, maps become `{}`. Nothing (`undefined`) becomes null. Functions,
 * symbols, big integers and circles cannot be sent.
 */
export function resultText(value: unknown, bytesMax: number): string {
  if (value === undefined) return "null";
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new UnsendableResult(`The result cannot be sent as JSON: ${reasonOf(error)}`);
  }
  if (text === undefined) throw new UnsendableResult(`The result cannot be sent as JSON: it is a ${typeof value}.`);
  // A character takes at least one byte, so long texts need not be counted.
  const bytes = text.length > bytesMax ? text.length : Buffer.byteLength(text);
  if (bytes > bytesMax) throw new UnsendableResult(`The result takes ${bytes} bytes and may take ${bytesMax}.`);
  return text;
}

function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message).slice(0, 1000) : String(error).slice(0, 1000);
  } catch {
    return "it cannot be read";
  }
}

/** Makes the standard input of a command from the arguments of a call, which the host wrote. */

/** The JSON text of the one element of the array, as it was sent. */
export function parseEvent(args: Uint8Array): Uint8Array {
  const text = Buffer.from(args.buffer, args.byteOffset, args.byteLength).toString().trim();
  if (!text.startsWith("[") || !text.endsWith("]")) throw new Error("the host sent arguments that are no array");
  return Buffer.from(text.slice(1, -1).trim());
}

/**
 * Takes delivered secrets out of text that leaves towards logs and errors: as they are, and in the forms that code commonly turns
 * them into (JSON, URL, base64, also within a longer text such as `user:secret`, and hexadecimal).
 */
import type { DeliveredKeyring } from "./keyrings.ts";

const REPLACEMENT = "[redacted]";
/** Shorter texts stand in others by chance, so that replacing them would tell more than it hides. */
const SHORTEST = 4;
const SHORTEST_ENCODED = 8;

export function redactSecrets(text: string, delivered: Readonly<Record<string, DeliveredKeyring>>): string {
  if (text === "") return text;
  const needles = new Set<string>();
  for (const { secret } of Object.values(delivered))
    for (const part of partsOf(secret)) for (const form of formsOf(part)) needles.add(form);
  // Longer ones first: a short one may be a part of a long one.
  const ordered = [...needles].sort((a, b) => b.length - a.length);
  return ordered.reduce((redacted, needle) => (redacted.includes(needle) ? redacted.replaceAll(needle, REPLACEMENT) : redacted), text);
}

/** The secret, and its fields when it is JSON of several. */
function partsOf(secret: string): readonly string[] {
  if (!secret.startsWith("{")) return [secret];
  try {
    const json: unknown = JSON.parse(secret);
    if (typeof json !== "object" || json === null) return [secret];
    return [secret, ...Object.values(json).filter((value) => typeof value === "string")];
  } catch {
    return [secret];
  }
}

function formsOf(secret: string): readonly string[] {
  if (secret.length < SHORTEST) return [];
  const encoded = encodeURIComponent(secret.toWellFormed());
  const plain = [
    secret,
    encoded,
    encoded.replaceAll("%20", "+"),
    encoded.replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
  ];
  if (secret.length < SHORTEST_ENCODED) return plain;
  const bytes = Buffer.from(secret);
  return [...plain, ...base64Forms(bytes), bytes.toString("hex"), bytes.toString("hex").toUpperCase()];
}

/** Base64 of the secret where it begins at each of the three offsets within a group, without the digits that neighbours change. */
function base64Forms(secret: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const digits = Buffer.concat([Buffer.alloc(offset), secret])
      .toString("base64")
      .replace(/=+$/, "");
    const first = [0, 2, 3][offset] ?? 0;
    const last = (offset + secret.length) % 3 === 0 ? digits.length : digits.length - 1;
    const own = digits.slice(first, last);
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

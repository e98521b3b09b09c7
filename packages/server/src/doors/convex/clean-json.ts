/**
 * The `json` format of Convex's HTTP API: like convex JSON, but int64 is a decimal string, bytes are a base64
 * string and a number that JSON lacks is its name.
 */
export function toCleanJsonText(convexJsonText: string): string {
  // Only tagged values differ, and each of them has a key that begins with a dollar sign.
  if (!convexJsonText.includes('"$')) return convexJsonText;
  return JSON.stringify(clean(JSON.parse(convexJsonText)));
}

function clean(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(clean);
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && typeof first[1] === "string") {
    const [tag, encoded] = first;
    const bytes = Buffer.from(encoded, "base64");
    // The text is a runner's: it is JSON, but its tags may hold anything.
    if (tag === "$integer" && bytes.length === 8) return bytes.readBigInt64LE().toString();
    if (tag === "$float" && bytes.length === 8) return floatName(bytes.readDoubleLE());
    if (tag === "$bytes") return encoded;
  }
  return Object.fromEntries(entries.map(([name, member]) => [name, clean(member)]));
}

function floatName(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

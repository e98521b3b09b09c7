export type JsonLike = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonLike {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Token buckets: at most `perSecond` in the long run, `burst` at once. */

/** What sums of floats may be off by. */
const ROUNDING = 1e-9;

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  readonly tokens: number;
  /** On a clock that never jumps. */
  readonly atMs: number;
}

export function fullBucket(limit: RateLimit, nowMs: number): Bucket {
  return { tokens: limit.burst, atMs: nowMs };
}

/** Takes one token, or says after how many milliseconds there is one. The bucket is what to keep in both cases. */
export function takeToken(bucket: Bucket, limit: RateLimit, nowMs: number): { readonly bucket: Bucket; readonly waitMs: number } {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  const tokens = Math.min(limit.burst, bucket.tokens + (elapsedMs / 1000) * limit.perSecond);
  if (tokens >= 1 - ROUNDING) return { bucket: { tokens: Math.max(0, tokens - 1), atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: Math.max(1, Math.ceil(((1 - tokens) / limit.perSecond) * 1000 - ROUNDING)) };
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullBucket, takeToken, type RateLimit } from "./rate.ts";

const TEN: RateLimit = { perSecond: 10, burst: 2 };

describe("a rate limit", () => {
  it("gives its burst at once and then one by one", () => {
    let bucket = fullBucket(TEN, 0);
    const waits: number[] = [];
    for (const atMs of [0, 0, 0, 99, 100, 101]) {
      const taken = takeToken(bucket, TEN, atMs);
      bucket = taken.bucket;
      waits.push(taken.waitMs);
    }
    expect(waits).toEqual([0, 0, 100, 1, 0, 99]);
  });

  it("lets through no more than burst and rate allow, whenever calls come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (gapsMs, perSecond, burst) => {
          const limit = { perSecond, burst };
          let bucket = fullBucket(limit, 0);
          let nowMs = 0;
          let passed = 0;
          for (const gapMs of gapsMs) {
            nowMs += gapMs;
            const taken = takeToken(bucket, limit, nowMs);
            bucket = taken.bucket;
            if (taken.waitMs === 0) passed++;
            else expect(takeToken(bucket, limit, nowMs + taken.waitMs).waitMs).toBe(0);
          }
          expect(passed).toBeLessThanOrEqual(burst + (nowMs / 1000) * perSecond + 1e-6);
        },
      ),
    );
  });

  it("is not fooled by a clock that stands", () => {
    const { bucket } = takeToken({ tokens: 0, atMs: 100 }, TEN, 50);
    expect(bucket.tokens).toBe(0);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryDelayMs, shouldRetry, type RetryKind } from "./retry.ts";

const kind = fc.constantFrom<RetryKind>("conflict", "scheduledConflict", "platform", "scheduledPlatform");
const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const longest = (of: RetryKind, attempt: number): number => retryDelayMs({ kind: of, attempt, jitter: 1 - Number.EPSILON });

describe("retryDelayMs", () => {
  test("pauses double up to a maximum", () => {
    const pauses = (of: RetryKind): number[] => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1e9].map((attempt) => longest(of, attempt));
    expect(pauses("conflict")).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000]);
    expect(pauses("scheduledConflict")).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000]);
    expect(pauses("scheduledPlatform").slice(0, 3)).toEqual([500, 1000, 2000]);
    expect(longest("scheduledPlatform", 1e9)).toBe(7_200_000);
    expect(pauses("platform")).toEqual([
      5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000,
    ]);
  });

  test("jitter chooses from the upper half", () => {
    fc.assert(
      fc.property(kind, fc.integer({ min: 1, max: 1000 }), jitter, (of, attempt, chosen) => {
        const delay = retryDelayMs({ kind: of, attempt, jitter: chosen });
        expect(delay).toBeGreaterThanOrEqual(longest(of, attempt) / 2);
        expect(delay).toBeLessThanOrEqual(longest(of, attempt));
      }),
    );
    expect(retryDelayMs({ kind: "conflict", attempt: 2, jitter: 0 })).toBe(100);
  });
});

describe("shouldRetry", () => {
  test("each kind has its number of runs", () => {
    const runs = (of: RetryKind): boolean[] => [1, 2, 3, 4, 5, 6].map((attempt) => shouldRetry({ kind: of, attempt }));
    expect(runs("conflict")).toEqual([true, true, true, true, false, false]);
    expect(runs("platform")).toEqual([true, true, false, false, false, false]);
    expect(shouldRetry({ kind: "scheduledConflict", attempt: 1e6 })).toBe(true);
    expect(shouldRetry({ kind: "scheduledPlatform", attempt: 1e6 })).toBe(true);
  });
});
